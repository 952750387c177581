import { HuskError } from "../errors/index.ts";
import { isNetInterworkingModel } from "./parse-kind.ts";
import { integer, kind, list, object, path, record, text } from "./rules.ts";

/** Most interfaces of a pod. */
const MAX_INTERFACES = 16;

const port = integer(1, 65_535);
const names = list(text({ empty: false, max: 256 }));
const directories = list(path, { empty: false });

function interworkingModel(value: unknown, at: string): void {
  if (typeof value === "number" && isNetInterworkingModel(value)) return;
  throw new HuskError("ERR_CONFIG_INVALID", `${at}: must be a NetInterworkingModel, 0 to 3 or 5`);
}

/** The rule for `ContainerConfig.ports`. */
export const containerPort = object(
  { hostPort: integer(0, 65_535), containerPort: port, protocol: kind(["tcp", "udp", "sctp"]) },
  ["hostPort", "containerPort"],
);

/** The rule for `PodConfig.networkConfig`. What its values mean is checked by the kinds of networks. */
export const networkConfig = object({
  netNSPath: path,
  numInterfaces: integer(0, MAX_INTERFACES),
  interworkingModel,
  cni: object({ confDirs: directories, binDirs: directories, networks: names, args: record(text()) }),
  dns: object({ servers: names, search: names, options: names }),
  portMappings: list(
    object({ protocol: kind(["tcp", "udp"]), hostAddress: text(), hostPort: port, containerPort: port }, [
      "hostPort",
      "containerPort",
    ]),
  ),
  portmappingWhiteLists: object({ internalNetworks: names, externalNetworks: names }, [
    "internalNetworks",
    "externalNetworks",
  ]),
});

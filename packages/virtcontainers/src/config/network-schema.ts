import { isIP } from "node:net";
import { HuskError } from "../errors/index.ts";
import { MAX_INTERFACES } from "../network/limits.ts";
import type { InterfaceRequest } from "../types/index.ts";
import { isNetInterworkingModel } from "./parse-kind.ts";
import { integer, kind, list, object, path, record, text } from "./rules.ts";

const port = integer(1, 65_535);
const names = list(text({ empty: false, max: 256 }));
const directories = list(path, { empty: false });

const binDirs = list(pluginDirectory, { empty: false });

/** Plugins get the directories of all plugins as one text, in which a colon divides them. */
function pluginDirectory(value: unknown, at: string): void {
  path(value, at);
  if (!String(value).includes(":")) return;
  throw new HuskError("ERR_CONFIG_INVALID", `${at}: must not hold a colon`);
}

/** Plugins get their arguments as one text, `KEY=VALUE;KEY=VALUE`. */
function pluginArguments(value: unknown, at: string): void {
  record(text({ max: 4096 }))(value, at);
  for (const [key, argument] of Object.entries(value as Record<string, string>)) {
    const inner = `${at}[${JSON.stringify(key.slice(0, 80))}]`;
    const name = /^[A-Za-z0-9_.-]{1,128}$/.test(key);
    if (!name) throw new HuskError("ERR_CONFIG_INVALID", `${inner}: must have a name of letters and digits`);
    if (!/[;=\n]/.test(argument)) continue;
    throw new HuskError("ERR_CONFIG_INVALID", `${inner}: must not hold ';', '=' or a line's end`);
  }
}

/** The address of a name server. */
function serverAddress(value: unknown, at: string): void {
  if (typeof value === "string" && isIP(value) !== 0) return;
  throw new HuskError("ERR_CONFIG_INVALID", `${at}: must be an IPv4 or IPv6 address`);
}

/** One word of a line of resolv.conf. */
function word(value: unknown, at: string): void {
  text({ empty: false, max: 255 })(value, at);
  if (/\s/.test(String(value))) throw new HuskError("ERR_CONFIG_INVALID", `${at}: must be one word`);
}

function interworkingModel(value: unknown, at: string): void {
  if (typeof value === "number" && isNetInterworkingModel(value)) return;
  throw new HuskError("ERR_CONFIG_INVALID", `${at}: must be a NetInterworkingModel, 0 to 3 or 5`);
}

/** The rule for `ContainerConfig.ports`. */
export const containerPort = object(
  { hostPort: integer(0, 65_535), containerPort: port, protocol: kind(["tcp", "udp", "sctp"]) },
  ["hostPort", "containerPort"],
);

const interfaceRequest = object({
  network: text({ empty: false, max: 256 }),
  link: text({ empty: false, max: 15 }),
});

/** Checks what `addInterface` is to add. @throws HuskError ERR_CONFIG_INVALID, ERR_CONFIG_UNKNOWN_FIELD */
export function checkInterfaceRequest(value: unknown): asserts value is InterfaceRequest {
  interfaceRequest(value, "");
  if (Object.keys(value as object).length === 1) return;
  throw new HuskError(
    "ERR_CONFIG_INVALID",
    "an interface is added by the name of a network, or by that of a link",
  );
}

/** The rule for `PodConfig.networkConfig`. What its values mean is checked by the kinds of networks. */
export const networkConfig = object({
  netNSPath: path,
  numInterfaces: integer(0, MAX_INTERFACES),
  interworkingModel,
  cni: object({ confDirs: directories, binDirs, networks: names, args: pluginArguments }),
  dns: object({ servers: list(serverAddress), search: list(word), options: list(word) }),
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

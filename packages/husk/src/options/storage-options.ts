import { resolve } from "node:path";
import type { ContainerConfig, DeviceInfo, Mount } from "@husk/virtcontainers";
import type { Command } from "commander";
import { UsageError } from "../usage-error.ts";
import { collect } from "./collect.ts";

/** The options of `run` that say what the container has of the host. */
export interface StorageOptions {
  /** `HOST:CTR[:ro]` */
  volume?: string[];
  /** `DIR[:OPTIONS]` */
  tmpfs?: string[];
  /** `HOST[:CTR]` */
  device?: string[];
  /** use the root directory itself, not a packed copy */
  sharedRoot?: boolean;
}

/** Adds the options of `StorageOptions` to a command. */
export function addStorageOptions(command: Command): Command {
  return command
    .option(
      "-v, --volume <HOST:CTR[:ro]>",
      "share a file or directory of the host, live (:ro: to read only)",
      collect,
    )
    .option(
      "--tmpfs <DIR[:OPTIONS]>",
      "mount an empty directory in memory (options: size=64m,mode=700)",
      collect,
    )
    .option("--device <HOST[:CTR]>", "give a device of the host; a block device is plugged in", collect)
    .option("--shared-root", "use the root directory itself: what is written is written to the host");
}

/**
 * Makes the library's fields out of what was typed. Paths of the host may be relative.
 *
 * @throws UsageError when an option's value has the wrong form
 */
export function makeStorage(
  options: StorageOptions,
): Pick<ContainerConfig, "mounts" | "deviceInfos" | "sharedRootfs"> {
  const mounts = [...(options.volume ?? []).map(parseVolume), ...(options.tmpfs ?? []).map(parseTmpfs)];
  const deviceInfos = (options.device ?? []).map(parseDevice);
  return {
    ...(mounts.length > 0 ? { mounts } : {}),
    ...(deviceInfos.length > 0 ? { deviceInfos } : {}),
    ...(options.sharedRoot ? { sharedRootfs: true } : {}),
  };
}

function parseVolume(text: string): Mount {
  const [source, destination, mode = "rw", ...more] = text.split(":");
  if (!source || !destination || (mode !== "ro" && mode !== "rw") || more.length > 0)
    throw new UsageError(`not a volume: ${text}`, "write HOST:CTR or HOST:CTR:ro");
  return {
    source: resolve(source),
    destination: checkInside(destination),
    type: "bind",
    options: ["rbind"],
    readOnly: mode === "ro",
  };
}

function parseTmpfs(text: string): Mount {
  const colon = text.indexOf(":");
  const destination = checkInside(colon < 0 ? text : text.slice(0, colon));
  const options = colon < 0 ? [] : text.slice(colon + 1).split(",");
  return { source: "tmpfs", destination, type: "tmpfs", options: options.filter((option) => option !== "") };
}

function parseDevice(text: string): DeviceInfo {
  const [host, inside, ...more] = text.split(":");
  if (!host || inside === "" || more.length > 0)
    throw new UsageError(`not a device: ${text}`, "write HOST or HOST:CTR");
  const hostPath = resolve(host);
  return { hostPath, containerPath: inside === undefined ? hostPath : checkInside(inside) };
}

function checkInside(path: string): string {
  if (path.startsWith("/")) return path;
  throw new UsageError(`path in the container is not absolute: ${path}`, "begin it with /");
}

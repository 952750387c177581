import { realpathSync, type Stats, statSync } from "node:fs";
import { posix } from "node:path";
import type { GuestMount } from "../agent/types.ts";
import { HuskError, messageOf, systemCode } from "../errors/index.ts";
import type { Mount, Volume } from "../types/index.ts";
import { type DevicePlan, describeNode, onlyInDev } from "./device-nodes.ts";

/** How a container gets a mount: as a bind in the pod's share, a volume, the guest's own affair, or a device. */
export type MountPlan =
  | { readonly kind: "bind"; readonly bind: BindPlan }
  | {
      readonly kind: "volume";
      readonly tag: string;
      readonly destination: string;
      readonly readOnly: boolean;
    }
  | { readonly kind: "guest"; readonly mount: GuestMount }
  | { readonly kind: "device"; readonly device: DevicePlan };

/** A file or directory of the host to be seen in a container. */
interface BindPlan {
  readonly source: string;
  readonly destination: string;
  readonly readOnly: boolean;
  readonly recursive: boolean;
}

/** File systems that the guest makes by itself. */
const GUEST_TYPES = ["tmpfs", "ramfs", "mqueue", "proc", "sysfs"];
/** Options of a bind that are honoured; a container's mounts are private, and nothing of them is seen elsewhere. */
const BIND_OPTIONS = ["bind", "rbind", "ro", "rw", "private", "rprivate", "defaults"];
/** Places in which the agent itself mounts, and all that is below them. */
const TAKEN_TREES = ["/proc", "/sys", "/dev/pts"];

/**
 * Decides how a container gets a mount.
 * @param at name of the field, for errors
 * @throws HuskError ERR_CONFIG_INVALID, ERR_NOT_SUPPORTED, ERR_MOUNT_SOURCE_MISSING
 */
export function planMount(mount: Mount, at: string, volumes: readonly Volume[]): MountPlan {
  const { source, type = "", options = [] } = mount;
  const destination = checkDestination(mount.destination, at);
  const readOnly = mount.readOnly === true || options.includes("ro");
  if (readOnly && options.includes("rw")) throw invalid(at, "cannot be both read-only and writable");
  const isBind = options.includes("bind") || options.includes("rbind");
  if (GUEST_TYPES.includes(type) && !isBind) {
    const all = readOnly && !options.includes("ro") ? [...options, "ro"] : options;
    return { kind: "guest", mount: { destination, type, source: source || type, options: all } };
  }
  if (type === "volume" || type === "bind" || isBind) checkBindOptions(options, at);
  if (type === "volume") {
    if (volumes.some(({ mountTag }) => mountTag === source))
      return { kind: "volume", tag: source, destination, readOnly };
    throw invalid(at, `the pod has no volume with the mountTag ${JSON.stringify(source)}`);
  }
  if (type !== "bind" && !isBind) {
    const known = ["bind", "volume", ...GUEST_TYPES].join(", ");
    const text = `${at}.type: ${JSON.stringify(type)} cannot be mounted; known are: ${known}`;
    throw new HuskError("ERR_NOT_SUPPORTED", text);
  }
  return planBind({ source, destination, readOnly, recursive: options.includes("rbind") }, at);
}

/** A bind of a device node is a device: the node of the host means nothing in the guest. */
function planBind(bind: BindPlan, at: string): MountPlan {
  const { source, stats } = findSource(bind.source, at);
  const node = describeNode(stats);
  if (node === undefined) {
    if (stats.isSocket()) {
      const text = `${at}.source: a socket of the host cannot be reached from a guest: ${source}`;
      throw new HuskError("ERR_NOT_SUPPORTED", text);
    }
    return { kind: "bind", bind: { ...bind, source } };
  }
  if (node.type === "p") {
    const text = `${at}.source: a fifo of the host cannot be reached from a guest: ${source}`;
    throw new HuskError("ERR_NOT_SUPPORTED", text);
  }
  if (!bind.destination.startsWith("/dev/")) throw onlyInDev(at, bind.destination);
  const device = { path: bind.destination, ...node, fileMode: stats.mode & 0o777 };
  if (node.type === "c") return { kind: "device", device };
  return { kind: "device", device: { ...device, source, readOnly: bind.readOnly } };
}

function findSource(path: string, at: string): { source: string; stats: Stats } {
  if (!path.startsWith("/")) throw invalid(`${at}.source`, "must be an absolute path");
  try {
    const source = realpathSync(path);
    return { source, stats: statSync(source) };
  } catch (error) {
    const why = systemCode(error) === "ENOENT" ? `does not exist: ${path}` : messageOf(error);
    throw new HuskError("ERR_MOUNT_SOURCE_MISSING", `${at}.source: ${why}`, { cause: error });
  }
}

function checkDestination(path: string, at: string): string {
  const field = `${at}.destination`;
  if (!path.startsWith("/")) throw invalid(field, "must be an absolute path");
  const clean = posix.resolve(path);
  const isTaken = TAKEN_TREES.some((tree) => clean === tree || clean.startsWith(`${tree}/`));
  if (isTaken || clean === "/" || clean === "/dev") {
    const text = `${field}: the guest's agent itself mounts ${clean}; leave this mount out`;
    throw new HuskError("ERR_NOT_SUPPORTED", text);
  }
  return clean;
}

function checkBindOptions(options: readonly string[], at: string): void {
  const other = options.find((option) => !BIND_OPTIONS.includes(option));
  if (other === undefined) return;
  const text = `${at}.options: ${JSON.stringify(other)} is not possible here; known are: ${BIND_OPTIONS.join(", ")}`;
  throw new HuskError("ERR_NOT_SUPPORTED", text);
}

function invalid(at: string, problem: string): HuskError {
  return new HuskError("ERR_CONFIG_INVALID", `${at}: ${problem}`);
}

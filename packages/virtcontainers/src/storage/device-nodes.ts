import { readFileSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import type { GuestDevice } from "../agent/types.ts";
import { HuskError, systemCode } from "../errors/index.ts";
import type { DeviceInfo } from "../types/index.ts";

/** A device of a container; `source`: the block device of the host that is to be plugged in for it. */
export interface DevicePlan extends Omit<GuestDevice, "disk"> {
  readonly source?: string;
  readonly readOnly?: boolean;
}

/** A VFIO group, but not the control device beside them. */
const VFIO_GROUP = /^\/dev\/vfio\/(\d+)$/;
const TYPES: Record<string, GuestDevice["type"]> = { c: "c", u: "c", b: "b", p: "p" };

/**
 * What a container gets for a device: path and numbers, each found by the other when only one of them is given.
 * @param at name of the field, for errors
 * @throws HuskError ERR_DEVICE_MISSING, ERR_CONFIG_INVALID, ERR_NOT_SUPPORTED
 */
export function planDevice(info: DeviceInfo, at: string): DevicePlan {
  const hostPath = info.hostPath ?? findDevicePath(info);
  const path = info.containerPath ?? hostPath;
  if (!path?.startsWith("/")) throw invalid(at, "needs an absolute hostPath or containerPath");
  if (!path.startsWith("/dev/") && info.devType !== "p") throw onlyInDev(at, path);
  const stats = hostPath === undefined || info.devType === "p" ? undefined : statDevice(hostPath, info, at);
  const found = stats ? describeNode(stats) : undefined;
  const type = info.devType === undefined ? found?.type : TYPES[info.devType];
  if (type === undefined) throw invalid(at, `${hostPath ?? path} is no device, and there is no devType`);
  if (found && found.type !== type) throw invalid(at, `${hostPath} is not a device of the type "${type}"`);
  const [major, minor] = [info.major || found?.major || 0, info.minor || found?.minor || 0];
  if (found && (major !== found.major || minor !== found.minor)) {
    throw invalid(at, `${hostPath} has the numbers ${found.major}:${found.minor}, not ${major}:${minor}`);
  }
  if (type === "b" && !(hostPath && found)) {
    throw new HuskError(
      "ERR_DEVICE_MISSING",
      `${at}: there is no block device ${hostPath ?? path} on the host`,
    );
  }
  if (type === "c" && !found && major === 0) throw invalid(at, "needs a major number");
  const fileMode = info.fileMode ?? (stats && stats.mode & 0o777);
  return {
    ...{ path, type, major, minor },
    ...(fileMode === undefined ? {} : { fileMode }),
    ...(info.uid === undefined ? {} : { uid: info.uid }),
    ...(info.gid === undefined ? {} : { gid: info.gid }),
    ...(type === "b" && hostPath ? { source: hostPath } : {}),
  };
}

/** The VFIO group that a device stands for: its devices go to the VM, and no node to the container. */
export function vfioGroupOf({ hostPath = "" }: DeviceInfo): string | undefined {
  return VFIO_GROUP.exec(hostPath)?.[1];
}

/** All file systems of a container but its /dev are mounted without devices. */
export function onlyInDev(at: string, path: string): HuskError {
  return new HuskError(
    "ERR_NOT_SUPPORTED",
    `${at}: a device can only be below /dev in a container, not ${path}`,
  );
}

function invalid(at: string, problem: string): HuskError {
  return new HuskError("ERR_CONFIG_INVALID", `${at}: ${problem}`);
}

/** The device node of the host by type and numbers; undefined: the kernel has none. */
function findDevicePath({ devType, major, minor }: DeviceInfo): string | undefined {
  const kind = devType === "b" ? "block" : devType === "c" || devType === "u" ? "char" : undefined;
  if (kind === undefined || major === undefined || minor === undefined) return undefined;
  try {
    const uevent = readFileSync(join("/sys/dev", kind, `${major}:${minor}`, "uevent"), "utf8");
    const name = /^DEVNAME=(.+)$/m.exec(uevent)?.[1];
    return name && `/dev/${name}`;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** A path that was found by the numbers may be missing, in a host without devtmpfs; one that was given may not. */
function statDevice(hostPath: string, info: DeviceInfo, at: string): Stats | undefined {
  try {
    return statSync(hostPath);
  } catch (error) {
    if (info.hostPath === undefined) return undefined;
    const why =
      systemCode(error) === "ENOENT" ? "does not exist" : `cannot be looked at (${systemCode(error)})`;
    throw new HuskError("ERR_DEVICE_MISSING", `${at}: the device ${hostPath} ${why}`, { cause: error });
  }
}

/** What a device node is; undefined: it is none. */
export function describeNode(stats: Stats): Pick<GuestDevice, "type" | "major" | "minor"> | undefined {
  if (stats.isFIFO()) return { type: "p", major: 0, minor: 0 };
  if (!stats.isBlockDevice() && !stats.isCharacterDevice()) return undefined;
  // As in <sys/sysmacros.h>; beyond 32 bits there are none in Linux.
  const { rdev } = stats;
  const [major, minor] = [(rdev >>> 8) & 0xfff, (rdev & 0xff) | ((rdev >>> 12) & 0xfff00)];
  return { type: stats.isBlockDevice() ? "b" : "c", major, minor };
}

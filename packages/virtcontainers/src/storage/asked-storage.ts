import type { ContainerConfig, DeviceInfo, Mount, OciMount } from "../types/index.ts";

/** Options of a bind that decide what is shared; the others are the guest's affair. */
const SHARING_OPTIONS = ["bind", "rbind", "ro", "rw"];

/** What a container asks of the host, each with the name of its field. */
interface AskedStorage {
  readonly mounts: readonly { mount: Mount; at: string }[];
  readonly devices: readonly { info: DeviceInfo; at: string }[];
}

/** The mounts and devices of a container; of a full specification, those for which the host is needed. */
export function storageAskedFor({ mounts = [], deviceInfos = [], ociSpec }: ContainerConfig): AskedStorage {
  if (!ociSpec) {
    return {
      mounts: mounts.map((mount, index) => ({ mount, at: `mounts[${index}]` })),
      devices: deviceInfos.map((info, index) => ({ info, at: `deviceInfos[${index}]` })),
    };
  }
  return {
    mounts: (ociSpec.mounts ?? []).flatMap((mount, index) =>
      isBind(mount) ? { mount: bindOf(mount), at: `ociSpec.mounts[${index}]` } : [],
    ),
    devices: (ociSpec.linux?.devices ?? []).map(({ path, type: devType, ...numbers }, index) => ({
      info: { containerPath: path, devType, ...numbers },
      at: `ociSpec.linux.devices[${index}]`,
    })),
  };
}

/** Whether a mount of a specification is a bind. */
export function isBind({ type, options = [] }: OciMount): boolean {
  return type === "bind" || options.includes("bind") || options.includes("rbind");
}

function bindOf({ source = "", destination, options = [] }: OciMount): Mount {
  const sharing = options.filter((option) => SHARING_OPTIONS.includes(option));
  return { source, destination, type: "bind", options: sharing };
}

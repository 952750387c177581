import { posix } from "node:path";
import type { CreateContainerRequest, Device, Storage } from "@husk/wire/kata";
import type { MessageInit } from "@husk/wire/protobuf";
import { isBind } from "../../storage/asked-storage.ts";
import type { OciDevice, OciDeviceRule, OciMount, OciSpec } from "../../types/index.ts";
import type { ContainerRoot, ContainerStart, GuestDevice, SharedPath } from "../types.ts";
import { defaultSpec, fileMounts } from "./default-spec.ts";
import { containerPaths, SHARED_DIRECTORY, volumePath } from "./guest-paths.ts";
import { stringUserOf } from "./process-message.ts";
import { hasNameServers } from "./sandbox-request.ts";
import { hasOwnPids, specMessage } from "./spec-message.ts";

/**
 * The request that makes a container: what the guest mounts before, the devices that it waits for, and the specification
 * with all that in its place. Reference: virtcontainers.md 3.3.
 */
export function containerRequest(start: ContainerStart): MessageInit<CreateContainerRequest> {
  const { config, storage, dns } = start;
  const { id, ociSpec, podFiles = [] } = config;
  const hasDns = hasNameServers(dns);
  const placed = withStorage(ociSpec ?? defaultSpec(config, hasDns), start);
  const spec = { ...placed, mounts: [...placed.mounts, ...fileMounts(podFiles, hasDns, ["bind", "ro"])] };
  return {
    containerId: id,
    execId: id,
    stringUser: ociSpec ? undefined : stringUserOf(config.cmd),
    devices: storage.devices.flatMap(deviceMessage),
    storages: rootStorages(id, storage.root),
    OCI: specMessage(spec, rootPath(id, storage.root)),
    sandboxPidns: !hasOwnPids(spec),
  };
}

function rootPath(containerId: string, root: ContainerRoot): string {
  return "share" in root ? `${SHARED_DIRECTORY}/${root.share}` : containerPaths(containerId).rootfs;
}

/** The image is read-only; what a container writes lies over it, in the guest's memory. A shared root is there already. */
function rootStorages(containerId: string, root: ContainerRoot): MessageInit<Storage>[] {
  if ("share" in root) return [];
  const { image, scratch, rootfs } = containerPaths(containerId);
  return [
    {
      ...diskSource(root.drive, root.addr),
      fstype: root.fstype,
      options: ["ro", "nodev", ...(root.fstype === "xfs" ? ["nouuid"] : [])],
      mountPoint: image,
    },
    {
      driver: "ephemeral",
      source: "tmpfs",
      fstype: "tmpfs",
      options: ["nodev", "mode=755"],
      mountPoint: scratch,
    },
    {
      driver: "overlayfs",
      source: "overlay",
      fstype: "overlay",
      options: [`lowerdir=${image}`, `upperdir=${scratch}/upper`, `workdir=${scratch}/work`],
      mountPoint: rootfs,
    },
  ];
}

/** How a disk is found: on the SCSI controller, by its place on the PCI bus, or by its name when it has no address. */
function diskSource(drive: string, addr: string | undefined): { driver: string; source: string } {
  if (addr === undefined) return { driver: "blk", source: diskPath(drive) };
  return { driver: addr.includes(":") ? "scsi" : "blk", source: addr };
}

/** The name that udev gives a disk by its serial number. */
function diskPath(drive: string): string {
  return `/dev/disk/by-id/virtio-${drive}`;
}

/** A disk whose numbers the guest must find out; other devices need not be waited for. */
function deviceMessage({ path, disk, addr }: GuestDevice): MessageInit<Device>[] {
  if (disk === undefined) return [];
  const { driver } = diskSource(disk, addr);
  return [
    { id: addr ?? "", type: driver, vmPath: addr === undefined ? diskPath(disk) : "", containerPath: path },
  ];
}

/** The specification with the container's shares, mounts and devices. */
function withStorage(
  spec: OciSpec,
  { config, storage }: ContainerStart,
): OciSpec & { mounts: readonly OciMount[] } {
  const { linux = {}, mounts = [] } = spec;
  const shared = new Map(storage.shared.map((one) => [one.destination, one]));
  const nodes = new Set(storage.devices.map(({ path }) => path));
  // A full specification has the binds in their places, with paths of the host; some of them are devices.
  const placed = config.ociSpec
    ? mounts.flatMap((mount) => placeMount(mount, shared, nodes))
    : [...mounts, ...storage.mounts.map(mountOf), ...storage.shared.map(bindOf)];
  const { resources } = linux;
  return {
    ...spec,
    mounts: placed,
    linux: {
      ...linux,
      devices: storage.devices.map(nodeOf),
      ...(resources
        ? {
            resources: {
              ...resources,
              devices: [...(resources.devices ?? []), ...storage.devices.flatMap(ruleOf)],
            },
          }
        : {}),
    },
  };
}

function placeMount(
  mount: OciMount,
  shared: ReadonlyMap<string, SharedPath>,
  nodes: ReadonlySet<string>,
): OciMount[] {
  if (!isBind(mount)) return [mount];
  const destination = posix.resolve("/", mount.destination);
  const found = shared.get(destination);
  if (found) return [{ ...mount, source: pathOf(found) }];
  return nodes.has(destination) ? [] : [mount];
}

function pathOf({ source, tag }: SharedPath): string {
  const base = tag === undefined ? SHARED_DIRECTORY : volumePath(tag);
  return source === "" ? base : `${base}/${source}`;
}

function bindOf(path: SharedPath): OciMount {
  const { destination, readOnly } = path;
  const options = ["rbind", "rprivate", "nodev", readOnly ? "ro" : "rw"];
  return { destination, type: "bind", source: pathOf(path), options };
}

function mountOf({ options, ...mount }: ContainerStart["storage"]["mounts"][number]): OciMount {
  return { ...mount, options: options.includes("dev") ? [...options] : [...options, "nodev"] };
}

function nodeOf({ path, type, major, minor, fileMode = 0o666, uid = 0, gid = 0 }: GuestDevice): OciDevice {
  return { path, type, major, minor, fileMode, uid, gid };
}

function ruleOf({ type, major, minor }: GuestDevice): OciDeviceRule[] {
  return type === "p" ? [] : [{ allow: true, type, major, minor, access: "rwm" }];
}

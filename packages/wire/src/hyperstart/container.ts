import { readContainerId } from "./identifiers.ts";
import { MAX_NAME_BYTES, MAX_PATH_BYTES, MAX_REQUEST_BYTES, MAX_U32 } from "./limits.ts";
import type { JsonObject, Reader } from "./payload-reader.ts";
import {
  integer,
  line,
  listOf,
  mapOf,
  nonEmpty,
  oneOf,
  optional,
  optionalText,
  readBoolean,
  readObject,
  readPayload,
  required,
  text,
  withDefault,
} from "./payload-reader.ts";
import type { Process, ProcessRequest } from "./process.ts";
import { processReader } from "./process.ts";

/** A block device to mount and bind into a container. */
export interface Volume {
  /** device name without /dev, or the source of an `nfs` volume */
  device: string;
  /** SCSI address `"id:lun"`, which then overrides `device` */
  addr?: string;
  /** path of the mount point in the container */
  mount: string;
  /** file system type; `"nfs"` is special */
  fstype: string;
  /** whether it may not be written */
  readOnly: boolean;
  /** whether an image's content at the mount point is copied in when new */
  dockerVolume: boolean;
}

/** A directory or file of the shared folder to bind into a container. */
export interface Fsmap {
  /** path relative to the share, or in the guest with `absolutePath` */
  source: string;
  /** path of the mount point in the container */
  path: string;
  /** whether it may not be written */
  readOnly: boolean;
  /** whether an image's content at the mount point is copied in when new */
  dockerVolume: boolean;
  /** whether `source` is a path of the guest (Clear Containers 3) */
  absolutePath?: boolean;
  /** SCSI address `"id:lun"` of a disk whose node is the source (Clear Containers 3) */
  scsiAddr?: string;
  /** mount tag of the share that `source` is relative to; absent: the pod's `shareDir` (husk) */
  tag?: string;
}

/** A mount that needs nothing from the host: tmpfs, mqueue, a bind inside the container, … (husk) */
export interface Mount {
  /** path of the mount point in the container */
  destination: string;
  /** file system type; `"bind"`, or the option `bind` or `rbind`, binds */
  type: string;
  /** what is mounted: a path in the container for a bind */
  source: string;
  /** options as in fstab(5); what is not a flag goes to the file system */
  options: string[];
}

/** A device node or fifo to make in a container (husk) */
export interface Device {
  /** path in the container */
  path: string;
  /** kind: character (`"u"` is unbuffered, the same), block, fifo */
  type: "c" | "b" | "u" | "p";
  /** major number; 0 for a fifo */
  major: number;
  /** minor number; 0 for a fifo */
  minor: number;
  /** permission bits; absent: 0666 */
  fileMode?: number;
  /** owner; absent: 0 */
  uid?: number;
  /** group; absent: 0 */
  gid?: number;
  /** name of a disk, as `image` names one: its numbers in the guest then replace the two above */
  disk?: string;
  /** address of that disk, as the root's `addr`, which then finds it */
  addr?: string;
}

/** A port of the host's mapped to one of the container's. */
export interface Port {
  /** port on the host, 0 for none */
  hostPort: number;
  /** port in the container */
  containerPort: number;
  /** `"tcp"` or `"udp"` */
  protocol: string;
}

/** Limits of a container's use of the CPUs; 0 sets none. The names are those of the JSON. */
export interface Constraints {
  /** µs of processor time in each period; 0 or less: no limit */
  CPUQuota: number;
  /** length of a period in µs, 100,000 by default */
  CPUPeriod: number;
  /** share in relation to other containers, 1024 by default */
  CPUShares: number;
}

/**
 * Payload of NEWCONTAINER and element of STARTPOD's `containers`: one JSON object with these keys. Unknown keys
 * are ignored; `restartPolicy`, which hosts send, has never meant anything. (The C agent refuses unknown keys,
 * and an empty `ports`: a host that drives it leaves out what it does not need.)
 */
export interface Container {
  /** id, unique in the pod; `"hyperstart"` is reserved for the agent's own namespaces */
  id: string;
  /** path of the root inside the image, `""` when it is the image's own */
  rootfs: string;
  /** directory under the share, or with `fstype` the name or serial of a block device */
  image: string;
  /** file system type of the block device; absent: `image` is a directory */
  fstype?: string;
  /** address of the block device, `"id:lun"` for SCSI, which then overrides `image`; Clear Containers 3 says `scsiAddr` */
  addr?: string;
  /** mount tag of the share that has the directory; absent: the pod's `shareDir` (husk) */
  tag?: string;
  /** block devices to mount */
  volumes: Volume[];
  /** shared directories and files to bind */
  fsmap: Fsmap[];
  /** mounts of the guest's own (husk) */
  mounts: Mount[];
  /** device nodes to make (husk) */
  devices: Device[];
  /** kernel parameters, `"net.core.somaxconn": "128"` */
  sysctl: Record<string, string>;
  /** first process, whose end is the container's */
  process: Process;
  /** whether the init layer, volumes' contents and the working directory are made */
  initialize: boolean;
  /** whether the root file system may not be written */
  readOnly: boolean;
  /** mapped ports */
  ports: Port[];
  /** limits of its use of the CPUs (Clear Containers 3) */
  constraints?: Constraints;
}

/** A {@link Container} as a host may write it: what has a default may be left out. */
export type ContainerRequest = Pick<Container, "id"> &
  Partial<Omit<Container, "id" | "process">> & { process: Omit<ProcessRequest, "id"> & { id?: string } };

const readPath = text(MAX_PATH_BYTES);
const readName = line(MAX_NAME_BYTES);
const readPort = integer(0, 0xffff);
const readProcess = processReader(() => "init");
/** Largest numbers of a device: Linux has 12 and 20 bits for them. */
const MAX_MAJOR = 0xfff;
const MAX_MINOR = 0xfffff;

/** The payload of NEWCONTAINER; a process without id is `"init"`. @throws PayloadError */
export function parseNewContainer(payload: Uint8Array): Container {
  return readContainer(readPayload(payload, MAX_REQUEST_BYTES), "");
}

/** A container at a path of a payload. */
export const readContainer: Reader<Container> = (value, path) => {
  const from = readObject(value, path);
  return {
    id: required(from, path, "id", readContainerId),
    rootfs: withDefault(from, path, "rootfs", readPath, ""),
    image: withDefault(from, path, "image", readPath, ""),
    ...optionalText(from, path, "fstype", readName),
    ...optionalText(from, path, "addr", readName),
    ...readScsiAddr(from, path),
    ...optionalText(from, path, "tag", readName),
    volumes: withDefault(from, path, "volumes", listOf(readVolume), []),
    fsmap: withDefault(from, path, "fsmap", listOf(readFsmap), []),
    mounts: withDefault(from, path, "mounts", listOf(readMount), []),
    devices: withDefault(from, path, "devices", listOf(readDevice), []),
    sysctl: withDefault(from, path, "sysctl", mapOf(nonEmpty(readName), text(MAX_PATH_BYTES)), {}),
    process: required(from, path, "process", readProcess),
    initialize: withDefault(from, path, "initialize", readBoolean, false),
    readOnly: withDefault(from, path, "readOnly", readBoolean, false),
    ports: withDefault(from, path, "ports", listOf(readPortMapping), []),
    ...optional(from, path, "constraints", readConstraints),
  };
};

function readScsiAddr(from: JsonObject, path: string): { addr?: string } {
  const { scsiAddr } = optionalText(from, path, "scsiAddr", readName);
  return scsiAddr === undefined ? {} : { addr: scsiAddr };
}

const readVolume: Reader<Volume> = (value, path) => {
  const from = readObject(value, path);
  return {
    device: withDefault(from, path, "device", readPath, ""),
    ...optionalText(from, path, "addr", readName),
    mount: required(from, path, "mount", nonEmpty(readPath)),
    fstype: required(from, path, "fstype", nonEmpty(readName)),
    readOnly: withDefault(from, path, "readOnly", readBoolean, false),
    dockerVolume: withDefault(from, path, "dockerVolume", readBoolean, false),
  };
};

const readFsmap: Reader<Fsmap> = (value, path) => {
  const from = readObject(value, path);
  return {
    source: withDefault(from, path, "source", readPath, ""),
    path: required(from, path, "path", nonEmpty(readPath)),
    readOnly: withDefault(from, path, "readOnly", readBoolean, false),
    dockerVolume: withDefault(from, path, "dockerVolume", readBoolean, false),
    ...optional(from, path, "absolutePath", readBoolean),
    ...optionalText(from, path, "scsiAddr", readName),
    ...optionalText(from, path, "tag", readName),
  };
};

const readMount: Reader<Mount> = (value, path) => {
  const from = readObject(value, path);
  return {
    destination: required(from, path, "destination", nonEmpty(readPath)),
    type: withDefault(from, path, "type", readName, ""),
    source: withDefault(from, path, "source", readPath, ""),
    options: withDefault(from, path, "options", listOf(nonEmpty(readPath)), []),
  };
};

const readDevice: Reader<Device> = (value, path) => {
  const from = readObject(value, path);
  return {
    path: required(from, path, "path", nonEmpty(readPath)),
    type: required(from, path, "type", oneOf("c", "b", "u", "p")),
    major: withDefault(from, path, "major", integer(0, MAX_MAJOR), 0),
    minor: withDefault(from, path, "minor", integer(0, MAX_MINOR), 0),
    ...optional(from, path, "fileMode", integer(0, 0o7777)),
    ...optional(from, path, "uid", integer(0, MAX_U32 - 1)),
    ...optional(from, path, "gid", integer(0, MAX_U32 - 1)),
    ...optionalText(from, path, "disk", readName),
    ...optionalText(from, path, "addr", readName),
  };
};

const readPortMapping: Reader<Port> = (value, path) => {
  const from = readObject(value, path);
  return {
    hostPort: withDefault(from, path, "hostPort", readPort, 0),
    containerPort: required(from, path, "containerPort", readPort),
    protocol: withDefault(from, path, "protocol", readName, "tcp"),
  };
};

const readMicroseconds = integer(-1, Number.MAX_SAFE_INTEGER);

const readConstraints: Reader<Constraints> = (value, path) => {
  const from = readObject(value, path);
  return {
    CPUQuota: withDefault(from, path, "CPUQuota", readMicroseconds, 0),
    CPUPeriod: withDefault(from, path, "CPUPeriod", integer(0, Number.MAX_SAFE_INTEGER), 0),
    CPUShares: withDefault(from, path, "CPUShares", integer(0, Number.MAX_SAFE_INTEGER), 0),
  };
};

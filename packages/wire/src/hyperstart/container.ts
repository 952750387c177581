import { readContainerId } from "./identifiers.ts";
import { MAX_NAME_BYTES, MAX_PATH_BYTES, MAX_REQUEST_BYTES } from "./limits.ts";
import type { Reader } from "./payload-reader.ts";
import {
  integer,
  line,
  listOf,
  mapOf,
  nonEmpty,
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
  /** SCSI address `"id:lun"` of the source (Clear Containers 3) */
  scsiAddr?: string;
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
  /** SCSI address `"id:lun"` of the block device, which then overrides `image` */
  addr?: string;
  /** block devices to mount */
  volumes: Volume[];
  /** shared directories and files to bind */
  fsmap: Fsmap[];
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
}

/** A {@link Container} as a host may write it: what has a default may be left out. */
export type ContainerRequest = Pick<Container, "id"> &
  Partial<Omit<Container, "id" | "process">> & { process: Omit<ProcessRequest, "id"> & { id?: string } };

const readPath = text(MAX_PATH_BYTES);
const readName = line(MAX_NAME_BYTES);
const readPort = integer(0, 0xffff);
const readProcess = processReader(() => "init");

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
    volumes: withDefault(from, path, "volumes", listOf(readVolume), []),
    fsmap: withDefault(from, path, "fsmap", listOf(readFsmap), []),
    sysctl: withDefault(from, path, "sysctl", mapOf(nonEmpty(readName), text(MAX_PATH_BYTES)), {}),
    process: required(from, path, "process", readProcess),
    initialize: withDefault(from, path, "initialize", readBoolean, false),
    readOnly: withDefault(from, path, "readOnly", readBoolean, false),
    ports: withDefault(from, path, "ports", listOf(readPortMapping), []),
  };
};

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

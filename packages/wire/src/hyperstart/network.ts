import { MAX_NAME_BYTES, MAX_REQUEST_BYTES, MAX_U32 } from "./limits.ts";
import type { Reader } from "./payload-reader.ts";
import {
  integer,
  line,
  lineOrNumber,
  listOf,
  nonEmpty,
  optional,
  optionalText,
  readBoolean,
  readObject,
  readPayload,
  required,
  withDefault,
} from "./payload-reader.ts";

/** An address of a network interface. */
export interface IpAddress {
  /** address; a leading `-` deletes it */
  ipAddress: string;
  /** mask, dotted or a number of bits */
  netMask: string;
}

/** Somebody on the same link, whose hardware address need not be asked for. (husk) */
export interface Neighbor {
  /** address of either family */
  ipAddress: string;
  /** its hardware address, `"02:00:00:00:00:01"` */
  macAddr: string;
}

/** A network interface of the guest: payload of SETUPINTERFACE and element of STARTPOD's `interfaces`. */
export interface Interface {
  /** name the kernel gave it; `""` when it is found by `macAddr` */
  device: string;
  /** name it gets; `""` leaves it as it is */
  newDeviceName: string;
  /** addresses to add */
  ipAddresses: IpAddress[];
  /** largest packet in bytes, 0 leaves it as it is */
  mtu: number;
  /** hardware address it is found by (Clear Containers) */
  macAddr?: string;
  /** neighbours to remember for good (husk) */
  neighbors: Neighbor[];
}

/** An {@link Interface} as a host may write it: what has a default may be left out. */
export type InterfaceRequest = Partial<Interface>;

/** A route of the guest: element of SETUPROUTE's and STARTPOD's `routes`. */
export interface Route {
  /** `"default"`, `"any"`, `"all"`, or an address with optional `/bits` or `/mask` */
  dest: string;
  /** address of the next hop */
  gateway?: string;
  /** name of the interface */
  device?: string;
  /** address that packets get which have none yet (Clear Containers) */
  src?: string;
  /** of several to the same destination, the lowest counts; absent: 0 for IPv4, 1024 for IPv6 (husk) */
  metric?: number;
  /** whether the next hop is on the link, whatever the addresses say (husk) */
  onLink?: boolean;
}

/** Networks for which containers' ports are mapped. */
export interface PortmappingWhiteList {
  /** networks whose traffic is always taken, `"10.0.0.0/8"` */
  internalNetworks: string[];
  /** networks that reach containers by their mapped ports */
  externalNetworks: string[];
}

const readName = line(MAX_NAME_BYTES);
const readNames = listOf(readName);

/** An interface at a path of a payload. The old form's single address is put behind the others. */
export const readInterface: Reader<Interface> = (value, path) => {
  const from = readObject(value, path);
  const ipAddresses = withDefault(from, path, "ipAddresses", listOf(readIpAddress), []);
  const single = readIpAddress(value, path);
  if (single.ipAddress !== "") ipAddresses.push(single);
  return {
    device: withDefault(from, path, "device", readName, ""),
    newDeviceName: withDefault(from, path, "newDeviceName", readName, ""),
    ipAddresses,
    mtu: withDefault(from, path, "mtu", integer(0, 65536), 0),
    ...optionalText(from, path, "macAddr", readName),
    neighbors: withDefault(from, path, "neighbors", listOf(readNeighbor), []),
  };
};

/** A route at a path of a payload. */
export const readRoute: Reader<Route> = (value, path) => {
  const from = readObject(value, path);
  return {
    dest: required(from, path, "dest", nonEmpty(readName)),
    ...optionalText(from, path, "gateway", readName),
    ...optionalText(from, path, "device", readName),
    ...optionalText(from, path, "src", readName),
    ...optional(from, path, "metric", integer(0, MAX_U32)),
    ...optional(from, path, "onLink", readBoolean),
  };
};

/** The payload of SETUPINTERFACE and DELETEINTERFACE. @throws PayloadError */
export function parseInterface(payload: Uint8Array): Interface {
  return readInterface(readPayload(payload, MAX_REQUEST_BYTES), "");
}

/** The payload of SETUPROUTE, `{"routes": Route[]}`. @throws PayloadError */
export function parseRoutes(payload: Uint8Array): Route[] {
  return withDefault(readPayload(payload, MAX_REQUEST_BYTES), "", "routes", listOf(readRoute), []);
}

/** Port mapping networks at a path of a payload. */
export const readPortmappingWhiteList: Reader<PortmappingWhiteList> = (value, path) => {
  const from = readObject(value, path);
  return {
    internalNetworks: withDefault(from, path, "internalNetworks", readNames, []),
    externalNetworks: withDefault(from, path, "externalNetworks", readNames, []),
  };
};

const readIpAddress: Reader<IpAddress> = (value, path) => {
  const from = readObject(value, path);
  return {
    ipAddress: withDefault(from, path, "ipAddress", readName, ""),
    netMask: withDefault(from, path, "netMask", lineOrNumber(MAX_NAME_BYTES), ""),
  };
};

const readNeighbor: Reader<Neighbor> = (value, path) => {
  const from = readObject(value, path);
  return {
    ipAddress: required(from, path, "ipAddress", nonEmpty(readName)),
    macAddr: required(from, path, "macAddr", nonEmpty(readName)),
  };
};

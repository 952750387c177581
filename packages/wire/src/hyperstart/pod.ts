import type { Container, ContainerRequest } from "./container.ts";
import { readContainer } from "./container.ts";
import { MAX_HOSTNAME_BYTES, MAX_NAME_BYTES, MAX_REQUEST_BYTES } from "./limits.ts";
import type { Interface, InterfaceRequest, PortmappingWhiteList, Route } from "./network.ts";
import { readInterface, readPortmappingWhiteList, readRoute } from "./network.ts";
import { line, listOf, optional, optionalText, readPayload, text, withDefault } from "./payload-reader.ts";

/** Payload of STARTPOD: one JSON object with these keys, all of which may be absent. */
export interface Pod {
  /** host name of the sandbox, `""` leaves the guest's */
  hostname: string;
  /** 9p mount tag of the shared directory; absent: no share */
  shareDir?: string;
  /** name servers */
  dns: string[];
  /** domains to search */
  dnsSearch: string[];
  /** resolver options */
  dnsOptions: string[];
  /** containers to start at once, in order (deprecated in favour of NEWCONTAINER) */
  containers: Container[];
  /** network interfaces to set up (deprecated in favour of SETUPINTERFACE) */
  interfaces: Interface[];
  /** routes to add (deprecated in favour of SETUPROUTE) */
  routes: Route[];
  /** networks for port mapping; absent: none */
  portmappingWhiteLists?: PortmappingWhiteList;
  /** rules for iptables-restore (Clear Containers 2) */
  iptableRules?: string;
}

/** A {@link Pod} as a host may write it: what has a default may be left out. */
export type PodRequest = Partial<Omit<Pod, "containers" | "interfaces">> & {
  containers?: ContainerRequest[];
  interfaces?: InterfaceRequest[];
};

const readNames = listOf(line(MAX_NAME_BYTES));

/** The payload of STARTPOD. @throws PayloadError */
export function parsePod(payload: Uint8Array): Pod {
  const from = readPayload(payload, MAX_REQUEST_BYTES);
  return {
    hostname: withDefault(from, "", "hostname", line(MAX_HOSTNAME_BYTES), ""),
    ...optionalText(from, "", "shareDir", line(MAX_NAME_BYTES)),
    dns: withDefault(from, "", "dns", readNames, []),
    dnsSearch: withDefault(from, "", "dnsSearch", readNames, []),
    dnsOptions: withDefault(from, "", "dnsOptions", readNames, []),
    containers: withDefault(from, "", "containers", listOf(readContainer), []),
    interfaces: withDefault(from, "", "interfaces", listOf(readInterface), []),
    routes: withDefault(from, "", "routes", listOf(readRoute), []),
    ...optional(from, "", "portmappingWhiteLists", readPortmappingWhiteList),
    ...optionalText(from, "", "iptableRules", text(MAX_REQUEST_BYTES)),
  };
}

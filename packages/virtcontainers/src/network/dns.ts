import { isIP } from "node:net";
import { HuskError, messageOf, systemCode } from "../errors/index.ts";
import { readHead } from "../read-head.ts";
import type { DnsConfig } from "../types/index.ts";
import type { Dns } from "./types.ts";

/** How much of a resolv.conf is read, in bytes. */
const MAX_FILE_BYTES = 64 * 1024;
/** Most values of one kind that are taken. */
const MAX_VALUES = 32;
/** Longest value taken, in bytes: that of a domain name. */
const MAX_VALUE_BYTES = 255;
/** Where systemd-resolved tells the servers that it asks itself; its own answers on the loopback only. */
const RESOLVED_PATH = "/run/systemd/resolve/resolv.conf";

/** Takes what resolv.conf(5) says; what it does not know, or is no address where one must be, is left out. */
export function parseResolvConf(text: string): Dns {
  const servers: string[] = [];
  const options: string[] = [];
  let search: string[] = [];
  for (const line of text.split("\n")) {
    const [keyword, ...values] = line.trim().split(/\s+/);
    const [first = ""] = values;
    if (keyword === "nameserver" && isIP(first) !== 0) servers.push(first);
    else if (keyword === "options") options.push(...values);
    // The last of these lines wins, whichever it is.
    else if (keyword === "search") search = values;
    else if (keyword === "domain" && first !== "") search = [first];
  }
  return { servers: limit(servers), search: limit(search), options: limit(options) };
}

function limit(values: readonly string[]): string[] {
  const usable = values.filter((value) => Buffer.byteLength(value) <= MAX_VALUE_BYTES);
  return [...new Set(usable)].slice(0, MAX_VALUES);
}

/**
 * What a resolv.conf says; undefined when there is none.
 * @throws HuskError ERR_CONFIG_INVALID when it cannot be read
 */
export function readResolvConf(path: string): Dns | undefined {
  try {
    return parseResolvConf(readHead(path, MAX_FILE_BYTES).toString());
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return undefined;
    throw new HuskError("ERR_CONFIG_INVALID", `cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * Chooses how names are resolved in a pod: of each of the three fields the configuration's, else the network's, else the
 * host's, as far as the pod can reach its servers.
 * @returns undefined when nobody says anything
 * @throws HuskError ERR_CONFIG_INVALID
 */
export function chooseDns(
  explicit: DnsConfig | undefined,
  fromNetwork: Dns | undefined,
  hostPath = "/etc/resolv.conf",
): Dns | undefined {
  const given = mergeDns(fromNetwork, fromNetwork?.servers.length ? undefined : readHostDns(hostPath));
  const dns = {
    servers: explicit?.servers ?? given.servers,
    search: explicit?.search ?? given.search,
    options: explicit?.options ?? given.options,
  };
  return dns.servers.length + dns.search.length + dns.options.length > 0 ? dns : undefined;
}

/** Of each field the first one's, if that has any values. */
function mergeDns(first: Dns | undefined, second: Dns | undefined): Dns {
  const choose = (field: keyof Dns) => (first?.[field].length ? first[field] : (second?.[field] ?? []));
  return { servers: choose("servers"), search: choose("search"), options: choose("options") };
}

/** The host's, without servers that only the host itself reaches: on its loopback, or by the name of one of its links. */
function readHostDns(path: string): Dns | undefined {
  const dns = readResolvConf(path);
  if (!dns) return undefined;
  const servers = dns.servers.filter(isReachable);
  if (servers.length > 0 || dns.servers.length === 0) return { ...dns, servers };
  return { ...dns, servers: readResolvConf(RESOLVED_PATH)?.servers.filter(isReachable) ?? [] };
}

function isReachable(server: string): boolean {
  return !server.startsWith("127.") && server !== "::1" && server !== "0.0.0.0" && !server.includes("%");
}

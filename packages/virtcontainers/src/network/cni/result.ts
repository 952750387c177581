import { isIP } from "node:net";
import { HuskError } from "../../errors/index.ts";
import { cleanText } from "../../untrusted-text.ts";
import type { Dns } from "../types.ts";

/** Most values of a list in a result. */
const MAX_VALUES = 4096;
/** Longest text in a result, in characters. */
const MAX_TEXT = 4096;
/** How much of a wrong result is shown, in characters. */
const MAX_EXCERPT = 200;
/** Names that Linux allows for links. */
const LINK_NAME = /^[^\s/:]{1,15}$/;

/** What the plugins of a network have made, as they printed it: CNI specification, "ADD Success". */
export type CniResult = Readonly<Record<string, unknown>>;

/** What is wrong with a result. */
class ResultProblem extends Error {}

/**
 * Reads what a plugin printed on ADD.
 * @param what the call, for errors
 * @throws HuskError ERR_CNI_RESULT
 */
export function parseResult(text: string, cniVersion: string, what: string): CniResult {
  try {
    return checkResult(JSON.parse(text), cniVersion);
  } catch (error) {
    if (!(error instanceof ResultProblem || error instanceof SyntaxError)) throw error;
    const problem = error instanceof SyntaxError ? "it is not JSON" : error.message;
    const shown = text.trim() === "" ? "it printed nothing" : `it printed: ${excerptOf(text)}`;
    throw new HuskError("ERR_CNI_RESULT", `${what} gave a wrong result: ${problem}; ${shown}`);
  }
}

/** How names are resolved, as a result that has been checked says. */
export function dnsOf(result: CniResult): Dns {
  return readDns(result.dns);
}

/** The beginning of what a program printed, fit for a message. */
export function excerptOf(text: string): string {
  const clean = cleanText(text.slice(0, 4 * MAX_EXCERPT))
    .replace(/\s+/g, " ")
    .trim();
  return clean.length > MAX_EXCERPT ? `${clean.slice(0, MAX_EXCERPT)}…` : clean;
}

function checkResult(value: unknown, cniVersion: string): CniResult {
  const raw = object(value, "it");
  // Old plugins leave the version out, and mean that of their configuration.
  const version = optionalText(raw.cniVersion, "cniVersion") || cniVersion;
  if (version !== cniVersion) throw new ResultProblem(`cniVersion is ${version}, not ${cniVersion} as asked`);
  const interfaces = list(raw.interfaces, "interfaces");
  interfaces.forEach(checkInterface);
  for (const [index, ip] of list(raw.ips, "ips").entries()) checkIp(ip, interfaces.length, `ips[${index}]`);
  for (const [index, route] of list(raw.routes, "routes").entries()) checkRoute(route, `routes[${index}]`);
  readDns(raw.dns);
  return { ...raw, cniVersion };
}

function checkInterface(value: unknown, index: number): void {
  const at = `interfaces[${index}]`;
  const { name, mac, sandbox } = object(value, at);
  if (typeof name !== "string" || !LINK_NAME.test(name)) {
    throw new ResultProblem(`${at}.name is no name of an interface`);
  }
  const hardware = optionalText(mac, `${at}.mac`);
  if (!/^([0-9a-f]{2}([:-][0-9a-f]{2})*)?$/i.test(hardware)) {
    throw new ResultProblem(`${at}.mac is no hardware address`);
  }
  optionalText(sandbox, `${at}.sandbox`);
}

function checkIp(value: unknown, interfaces: number, at: string): void {
  const { address, gateway, version, interface: index } = object(value, at);
  const family = networkFamily(address, `${at}.address`);
  if (isPresent(gateway) && gateway !== "") checkAddress(gateway, `${at}.gateway`);
  // Before 1.0.0 the family is told as well.
  if (isPresent(version) && version !== String(family)) {
    throw new ResultProblem(`${at}.version does not fit its address`);
  }
  if (!isPresent(index)) return;
  const isIndex = typeof index === "number" && Number.isInteger(index) && index >= 0 && index < interfaces;
  if (!isIndex) throw new ResultProblem(`${at}.interface is no index of interfaces`);
}

function checkRoute(value: unknown, at: string): void {
  const { dst, gw } = object(value, at);
  networkFamily(dst, `${at}.dst`);
  if (isPresent(gw) && gw !== "") checkAddress(gw, `${at}.gw`);
}

function readDns(value: unknown): Dns {
  if (!isPresent(value)) return { servers: [], search: [], options: [] };
  const { nameservers, domain, search, options } = object(value, "dns");
  const servers = texts(nameservers, "dns.nameservers");
  for (const [index, server] of servers.entries()) checkAddress(server, `dns.nameservers[${index}]`);
  const local = optionalText(domain, "dns.domain");
  const domains = texts(search, "dns.search");
  return {
    servers,
    search: local === "" || domains.includes(local) ? domains : [local, ...domains],
    options: texts(options, "dns.options"),
  };
}

/** The family of `10.0.0.0/8`, 4 or 6. */
function networkFamily(value: unknown, at: string): number {
  const [address = "", prefix = ""] = typeof value === "string" ? value.split(/\/(.*)/s) : [];
  const family = isIP(address);
  const most = family === 4 ? 32 : 128;
  if (family !== 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= most) return family;
  throw new ResultProblem(`${at} is no address with the length of a prefix`);
}

function checkAddress(value: unknown, at: string): void {
  if (typeof value !== "string" || isIP(value) === 0) throw new ResultProblem(`${at} is no address`);
}

/** Plugins in Go print null for what is not there. */
function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function object(value: unknown, at: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw new ResultProblem(`${at} is no object`);
}

function list(value: unknown, at: string): unknown[] {
  if (!isPresent(value)) return [];
  if (!Array.isArray(value)) throw new ResultProblem(`${at} is no list`);
  if (value.length > MAX_VALUES) throw new ResultProblem(`${at} has more than ${MAX_VALUES} values`);
  return value;
}

function texts(value: unknown, at: string): string[] {
  return list(value, at).map((item, index) => {
    if (typeof item !== "string" || item === "") throw new ResultProblem(`${at}[${index}] is no text`);
    return optionalText(item, `${at}[${index}]`);
  });
}

function optionalText(value: unknown, at: string): string {
  if (!isPresent(value)) return "";
  if (typeof value === "string" && value.length <= MAX_TEXT) return value;
  throw new ResultProblem(`${at} is no text, or too long`);
}

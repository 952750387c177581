import { posix } from "node:path";
import { HuskError } from "@husk/virtcontainers";
import { quoteShort } from "../metadata/invalid-flist.ts";

/** What a store may be. */
type StoreScheme = "dir" | "http" | "https" | "zdb";

/** Ports where an address names none. */
const DEFAULT_PORTS: Readonly<Record<StoreScheme, string>> = {
  dir: "",
  http: "80",
  https: "443",
  zdb: "9900",
};

/** The address of a store, taken apart. */
export interface StoreAddress {
  readonly scheme: StoreScheme;
  /** machine, in small letters; empty: this one */
  readonly host: string;
  readonly port: string;
  /** directory, path of a URL, or namespace of a zdb (of one on a socket: the socket), without a slash at its end */
  readonly path: string;
  /** password of the namespace of a zdb */
  readonly password: string | undefined;
  /** the address without user and password */
  readonly text: string;
}

/**
 * Reads the address of a store.
 * @throws HuskError ERR_NOT_SUPPORTED for a kind of store that we do not know, ERR_CONFIG_INVALID
 */
export function parseStoreAddress(text: string): StoreAddress {
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw invalidAddress(text, "it is no URL", cause);
  }
  const scheme = url.protocol.slice(0, -1);
  if (!isScheme(scheme)) {
    throw new HuskError("ERR_NOT_SUPPORTED", `the store ${shorten(text)} is not of a kind that husk knows`, {
      hint: "Stores are dir:///DIRECTORY, http(s)://HOST/PATH and zdb://HOST:PORT/NAMESPACE.",
    });
  }
  if (url.search !== "" || url.hash !== "") throw invalidAddress(text, "it has a query or a fragment");
  const host = url.hostname.toLowerCase();
  if (scheme === "dir" && host !== "") throw invalidAddress(text, "a directory is written dir:///DIRECTORY");
  const path = readPath(url, scheme, text);
  if (host === "" && path === "") throw invalidAddress(text, "it names nothing");
  const port = host === "" ? "" : url.port || DEFAULT_PORTS[scheme];
  const password = url.password === "" ? undefined : decode(url.password, text);
  const shownPort = port === DEFAULT_PORTS[scheme] && scheme !== "zdb" ? "" : `:${port}`;
  const shown = `${scheme}://${host}${host === "" ? "" : shownPort}${url.pathname.replace(/\/+$/, "")}`;
  return { scheme, host, port, path, password, text: shown };
}

function isScheme(scheme: string): scheme is StoreScheme {
  return Object.hasOwn(DEFAULT_PORTS, scheme);
}

/** Paths of the web stay as they are written; others are names on this machine, or of a namespace. */
function readPath({ pathname, hostname }: URL, scheme: StoreScheme, text: string): string {
  if (/%(2f|5c|00)/i.test(pathname)) throw invalidAddress(text, "it has an encoded slash or NUL in it");
  if (scheme === "http" || scheme === "https") return pathname.replace(/\/+$/, "");
  const path = pathname === "" ? "" : posix.normalize(decode(pathname, text)).replace(/\/+$/, "");
  // The namespace is the last part, as rfs takes it.
  return scheme === "zdb" && hostname !== "" ? path.slice(Math.max(path.lastIndexOf("/"), 0)) : path;
}

function decode(part: string, text: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw invalidAddress(text, "it is not encoded as URLs are", cause);
  }
}

function invalidAddress(text: string, why: string, cause?: unknown): HuskError {
  return new HuskError("ERR_CONFIG_INVALID", `the store's address ${shorten(text)}: ${why}`, { cause });
}

/** The address for an error, without what might be a password. */
function shorten(text: string): string {
  return quoteShort(text.replace(/\/\/[^/]*@/, "//"));
}

/** Finds the address that allows another: the same machine and port, and a path that it begins with. */
export function findAllowing(
  allowed: readonly StoreAddress[],
  asked: StoreAddress,
): StoreAddress | undefined {
  return allowed.find(
    ({ scheme, host, port, path }) =>
      scheme === asked.scheme &&
      host === asked.host &&
      port === asked.port &&
      (asked.path === path || asked.path.startsWith(`${path}/`)),
  );
}

import { HuskError } from "../errors/index.ts";
import type { Socket, Volume } from "../types/index.ts";

/** The fields of one item of a list, in their order. */
type Fields<T> = readonly (keyof T & string)[];

const VOLUME: Fields<Volume> = ["mountTag", "hostPath"];
const SOCKET: Fields<Socket> = ["deviceId", "id", "hostPath", "name"];

/**
 * Parses `tag:path tag:path …`: one blank between volumes, one colon between the two parts, neither of them empty. Go:
 * `Volumes.Set`.
 * @throws HuskError ERR_CONFIG_INVALID
 */
export function parseVolumes(text: string): Volume[] {
  return parseList("volume", VOLUME, text);
}

/**
 * The text from which `parseVolumes` makes the same volumes again. Go: `Volumes.String`.
 * @throws HuskError ERR_CONFIG_INVALID when a part is empty or holds a colon or a blank
 */
export function formatVolumes(volumes: readonly Volume[]): string {
  return formatList("volume", VOLUME, volumes);
}

/** Parses `device:id:path:name …`, by the rules of `parseVolumes`, and throws as it. Go: `Sockets.Set`. */
export function parseSockets(text: string): Socket[] {
  return parseList("socket", SOCKET, text);
}

/** The text from which `parseSockets` makes the same sockets again; as `formatVolumes`. Go: `Sockets.String`. */
export function formatSockets(sockets: readonly Socket[]): string {
  return formatList("socket", SOCKET, sockets);
}

function parseList<T extends object>(what: string, fields: Fields<T>, text: string): T[] {
  return text.split(" ").map((item) => {
    const parts = item.split(":");
    if (parts.length !== fields.length || parts.includes("")) {
      const shown = JSON.stringify(item.slice(0, 200));
      throw new HuskError("ERR_CONFIG_INVALID", `${shown} is no ${what}: it must be ${fields.join(":")}`);
    }
    return Object.fromEntries(fields.map((field, index) => [field, parts[index]])) as T;
  });
}

function formatList<T extends object>(what: string, fields: Fields<T>, items: readonly T[]): string {
  const formatted = items.map((item) => {
    const parts = fields.map((field) => String(item[field]));
    const bad = parts.findIndex((part) => part === "" || /[: ]/.test(part));
    if (bad < 0) return parts.join(":");
    const shown = JSON.stringify(parts[bad]?.slice(0, 200));
    const text = `a ${what}'s ${fields[bad]} ${shown} is empty or holds a colon or a blank`;
    throw new HuskError("ERR_CONFIG_INVALID", text);
  });
  return formatted.join(" ");
}

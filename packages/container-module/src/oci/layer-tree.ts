import { constants } from "node:fs";
import { link, lstat, mkdir, open, readdir, rm, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { throwIfAborted } from "@husk/virtcontainers/internals";
import type { ReadEntry } from "tar/read-entry";
import type { FlistLimits } from "../flist/metadata/limits.ts";
import { MAX_TARGET_BYTES } from "../flist/metadata/limits.ts";
import { type Attributes, setAttributes, setLinkAttributes } from "../flist/unpack/attributes.ts";
import { makeSpecialFile } from "../flist/unpack/special-file.ts";
import { invalidImage } from "./invalid-image.ts";
import { resolveDirectory, splitLayerPath } from "./layer-path.ts";

const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";
const MAX_ID = 0xffff_fffe;
/** A new file, and nothing that somebody has put in its place. */
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** A root file system that layers are put into, one after the other. */
export class LayerTree {
  readonly leftOut: string[] = [];
  entries = 0;
  bytes = 0;
  readonly #root: string;
  readonly #limits: FlistLimits;
  readonly #signal: AbortSignal | undefined;
  /** what directories are to have when nothing changes in them any more, by their paths */
  readonly #directories = new Map<string, Attributes>();
  /** what this layer has made, which its own whiteouts leave alone */
  readonly #made = new Set<string>();

  constructor(root: string, limits: FlistLimits, signal: AbortSignal | undefined) {
    this.#root = root;
    this.#limits = limits;
    this.#signal = signal;
  }

  beginLayer(): void {
    this.#made.clear();
  }

  /** Puts the next entry of a layer where it belongs. @throws HuskError ERR_IMAGE_INVALID, ERR_ROOTFS_BUILD */
  async add(entry: ReadEntry): Promise<void> {
    this.entries += 1;
    this.bytes += entry.size;
    const { maxEntries, maxTotalBytes } = this.#limits;
    if (this.entries > maxEntries) throw invalidImage(`more than ${maxEntries} files`);
    if (this.bytes > maxTotalBytes) throw invalidImage(`its files have more than ${maxTotalBytes} bytes`);
    const names = splitLayerPath(entry.path, this.#limits);
    const name = names.pop();
    if (name === undefined) {
      this.#directories.set("", readAttributes(entry));
      entry.resume();
      return;
    }
    const parent = await resolveDirectory(this.#root, names);
    if (name.startsWith(WHITEOUT)) {
      entry.resume();
      await this.#whiteOut(parent, name);
    } else {
      const path = [...parent, name].join("/");
      await this.#make(path, entry);
      for (let made = path; made !== "."; made = dirname(made)) this.#made.add(made);
    }
  }

  /** Gives directories their owners, modes and times, the deepest first. */
  async finish(): Promise<void> {
    const paths = [...this.#directories].sort(([one], [other]) => (one < other ? 1 : -1));
    for (const [path, attributes] of paths) await setAttributes(join(this.#root, path), attributes);
  }

  async #make(path: string, entry: ReadEntry): Promise<void> {
    const place = join(this.#root, path);
    const attributes = readAttributes(entry);
    if (entry.type === "Directory" || entry.type === "GNUDumpDir") {
      entry.resume();
      if (!(await isDirectory(place))) {
        await this.#remove(path);
        await mkdir(place, 0o700);
      }
      this.#directories.set(path, attributes);
      return;
    }
    if (entry.type === "Link") {
      await this.#link(path, entry);
      return;
    }
    await this.#remove(path);
    if (entry.type === "File" || entry.type === "OldFile" || entry.type === "ContiguousFile") {
      await writeBody(place, entry, this.#signal);
      await setAttributes(place, attributes);
      return;
    }
    entry.resume();
    if (entry.type === "SymbolicLink") {
      await symlink(readTarget(entry), place);
      await setLinkAttributes(place, attributes);
      return;
    }
    const why = await makeSpecialFile(place, readSpecial(entry), this.#signal);
    if (why === undefined) await setAttributes(place, attributes);
    else this.leftOut.push(`${path}: ${why}`);
  }

  /** One more name for a file of this or a lower layer. */
  async #link(path: string, entry: ReadEntry): Promise<void> {
    entry.resume();
    const names = splitLayerPath(readTarget(entry), this.#limits);
    const name = names.pop();
    const source = [...(await resolveDirectory(this.#root, names)), name ?? ""].join("/");
    if (source === path) return;
    const from = join(this.#root, source);
    const stats = await lstat(from).catch(() => undefined);
    if (!stats || stats.isDirectory())
      throw invalidImage(`the link ${path} leads to ${source}, which is no file`);
    await this.#remove(path);
    await link(from, join(this.#root, path));
  }

  /** Hides what lower layers have; of a name, or all that is in a directory. */
  async #whiteOut(parent: readonly string[], name: string): Promise<void> {
    const directory = parent.join("/");
    const hidden =
      name === OPAQUE ? await readdir(join(this.#root, directory)) : [name.slice(WHITEOUT.length)];
    for (const one of hidden) {
      if (one === "" || one === "." || one === "..")
        throw invalidImage(`a layer has the name ${JSON.stringify(name)}`);
      const path = [...parent, one].join("/");
      if (!this.#made.has(path)) await this.#remove(path);
    }
  }

  async #remove(path: string): Promise<void> {
    const place = join(this.#root, path);
    if (await isDirectory(place)) {
      const inside = `${path}/`;
      for (const known of this.#directories.keys()) {
        if (known === path || known.startsWith(inside)) this.#directories.delete(known);
      }
    }
    await rm(place, { recursive: true, force: true });
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isDirectory() ?? false;
}

async function writeBody(path: string, entry: ReadEntry, signal: AbortSignal | undefined): Promise<void> {
  const file = await open(path, NEW_FILE, 0o600);
  try {
    for await (const chunk of entry) {
      throwIfAborted(signal);
      await file.writeFile(chunk);
    }
  } finally {
    await file.close();
  }
}

function readAttributes({ path, mode = 0o755, uid = 0, gid = 0, mtime }: ReadEntry): Attributes {
  const seconds = Math.floor((mtime?.getTime() ?? 0) / 1000);
  if (!Number.isSafeInteger(seconds) || [uid, gid].some((id) => !(id >= 0 && id <= MAX_ID))) {
    throw invalidImage(`a layer gives ${JSON.stringify(path)} an owner or a time that cannot be`);
  }
  return { mode: mode & 0o7777, uid, gid, mtime: seconds };
}

function readTarget({ path, linkpath = "" }: ReadEntry): string {
  if (linkpath !== "" && !linkpath.includes("\0") && Buffer.byteLength(linkpath) <= MAX_TARGET_BYTES)
    return linkpath;
  throw invalidImage(`a layer has the link ${JSON.stringify(path)}, which leads nowhere`);
}

function readSpecial({ path, type, header }: ReadEntry): Parameters<typeof makeSpecialFile>[1] {
  if (type === "FIFO") return { kind: "fifo" };
  if (type !== "BlockDevice" && type !== "CharacterDevice") {
    throw invalidImage(`a layer has ${JSON.stringify(path)}, of the kind ${type}`);
  }
  const device = { major: header.devmaj ?? 0, minor: header.devmin ?? 0 };
  return { kind: type === "BlockDevice" ? "block" : "character", device };
}

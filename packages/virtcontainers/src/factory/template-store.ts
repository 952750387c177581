import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { HuskError, messageOf, systemCode } from "../errors/index.ts";
import type { VmTemplate } from "../hypervisor/types.ts";
import { type FileLock, type LockOptions, lockFile, openLockFile } from "../store/flock.ts";
import { clearUnfinishedPlaceholders, makePlaceholder } from "./placeholder.ts";

/** What a tmpfs says it is, `TMPFS_MAGIC`. */
const TMPFS = 0x0102_1994;
const MIB = 2 ** 20;
const KEY = /^[0-9a-f]{32}$/;
const KEY_DIGITS = 32;
/** Bytes of a template beside its memory, at most, in MiB: state, placeholder and what the VM says. */
const SLACK_MIB = 8;
const SHARED_MEMORY = "/dev/shm";
const INFO = "template.json";
/** The placeholder: who makes a template needs it, and locks it with others. */
export const PARTS = "placeholder";
/** A template, or its lock. */
const OWN = /^([0-9a-f]{32})(?:\.lock)?$/;
/** Bits of a mode by which others than the owner can write. */
const OTHERS_WRITE = 0o022;

/** A template, as it is told. */
export interface TemplateInfo {
  /** digest of all that it depends on */
  readonly key: string;
  /** ISO 8601 */
  readonly createdAt: string;
  readonly vcpus: number;
  /** guest memory in MiB */
  readonly memory: number;
  /** kind of agent */
  readonly agent: string;
}

/** What is stored of it. */
type StoredInfo = TemplateInfo & {
  /** SHA-256 of the state's bytes */
  readonly stateDigest: string;
};

/**
 * The templates in a directory on a tmpfs. Each is a directory with the file of its memory, that of its devices' state, and
 * what it is; its name is a digest of all that it depends on, so that another kernel, agent or QEMU finds another template.
 */
export class TemplateStore {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Makes the directory. @throws HuskError ERR_STORE when that fails, others can write in it, or it is not on a tmpfs */
  open(): void {
    try {
      mkdirSync(this.path, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw this.#error(messageOf(error), { cause: error });
    }
    this.#checkOwner();
    if (statfsSync(this.path).type === TMPFS) return;
    throw this.#error("it is on no tmpfs", {
      hint: `Memory would be written to a disk. Name a directory below ${SHARED_MEMORY}.`,
    });
  }

  /** Its name can be guessed, and shared memory is everybody's: who had made it could change what VMs begin with. */
  #checkOwner(): void {
    const { mode, uid } = lstatSync(this.path);
    const isDirectory = (mode & constants.S_IFMT) === constants.S_IFDIR;
    if (isDirectory && uid === process.geteuid?.() && (mode & OTHERS_WRITE) === 0) return;
    throw this.#error("it is a link, or others can write in it", {
      hint: "Name a directory of your own (mode 700), or remove what is there.",
    });
  }

  /** Makes sure that there is room for the memory of one more. @throws HuskError ERR_STORE */
  checkRoom(memory: number): void {
    const { bavail, bsize } = statfsSync(this.path);
    const free = Math.floor((bavail * bsize) / MIB);
    if (free >= memory + SLACK_MIB) return;
    throw this.#error(`it has ${free} MiB free, and a template of this VM takes ${memory + SLACK_MIB}`, {
      hint: "Remove templates (husk factory destroy), give the VM less memory, or name a larger tmpfs.",
    });
  }

  #error(problem: string, options: { cause?: unknown; hint?: string }): HuskError {
    return new HuskError("ERR_STORE", `cannot keep templates in ${this.path}: ${problem}`, options);
  }

  /** The disk of templates, whose place in each copy its own disk takes; throws as `makePlaceholder`. */
  placeholder(signal?: AbortSignal | undefined): Promise<string> {
    this.open();
    return makePlaceholder(join(this.path, PARTS), signal);
  }

  folder(key: string): string {
    return join(this.path, key);
  }

  /** A template that is whole; undefined: there is none of that key. */
  find(key: string): TemplateInfo | undefined {
    const folder = this.folder(key);
    try {
      const { stateDigest, ...info } = JSON.parse(readFileSync(join(folder, INFO), "utf8")) as StoredInfo;
      const { memoryPath, statePath } = filesOf(folder);
      const isWhole =
        info.key === key &&
        statSync(memoryPath).size === info.memory * MIB &&
        digestOf(readFileSync(statePath)) === stateDigest;
      return isWhole ? info : undefined;
    } catch (error) {
      if (systemCode(error) === "ENOENT" || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  /** All templates that are whole, the newest first. */
  list(): TemplateInfo[] {
    return this.#names()
      .filter((name) => KEY.test(name))
      .flatMap((key) => this.find(key) ?? [])
      .sort((one, other) => other.createdAt.localeCompare(one.createdAt));
  }

  #names(): string[] {
    try {
      return readdirSync(this.path);
    } catch (error) {
      if (systemCode(error) === "ENOENT") return [];
      throw this.#error(messageOf(error), { cause: error });
    }
  }

  /** Names of what is being made, or was when its maker died. */
  unfinished(): string[] {
    return this.#names().filter((name) => name.startsWith("."));
  }

  /** Gives a finished template its name; one that was there, and is not whole, goes. */
  publish(folder: string, info: TemplateInfo): void {
    const stateDigest = digestOf(readFileSync(filesOf(folder).statePath));
    const stored: StoredInfo = { ...info, stateDigest };
    writeFileSync(join(folder, INFO), `${JSON.stringify(stored)}\n`, { mode: 0o600 });
    rmSync(this.folder(info.key), { recursive: true, force: true });
    renameSync(folder, this.folder(info.key));
  }

  /**
   * Locks a template while it is made, or what all of them are made with (`PARTS`).
   * @returns undefined only when not waiting: another holds it
   * @throws HuskError ERR_STORE, ERR_LOCK, ERR_ABORTED
   */
  async lock(name: string, options: LockOptions): Promise<FileLock | undefined> {
    const path = `${this.folder(name)}.lock`;
    for (;;) {
      this.open();
      try {
        closeSync(openLockFile(path));
        return await lockFile(path, options);
      } catch (error) {
        if (error instanceof HuskError) throw error;
        // Else it was removed meanwhile, with the template or the whole directory.
        if (systemCode(error) !== "ENOENT") throw this.#error(messageOf(error), { cause: error });
      }
    }
  }

  /**
   * Removes all templates, but those that are just being made: these are there afterwards. VMs that began with one go on: its memory
   * lives as long as they do.
   * @returns how many
   * @throws HuskError ERR_STORE, ERR_LOCK
   */
  async clear(): Promise<number> {
    const keys = this.#names().flatMap((name) => OWN.exec(name)?.[1] ?? []);
    const removed: boolean[] = [];
    for (const key of new Set(keys))
      removed.push(await this.#remove(key, () => this.find(key) !== undefined));
    if (this.#names().some((name) => name.startsWith(PARTS))) {
      clearUnfinishedPlaceholders(this.path);
      await this.#remove(PARTS, () => false);
    }
    try {
      rmdirSync(this.path);
    } catch (error) {
      // Others have put something there, or are just making a template.
      if (!["ENOENT", "ENOTEMPTY", "EBUSY"].includes(systemCode(error) ?? ""))
        throw this.#error(messageOf(error), { cause: error });
    }
    return removed.filter((counts) => counts).length;
  }

  /** Removes what nobody has locked. The lock's file goes before the lock: who waits for it finds that out. */
  async #remove(name: string, counts: () => boolean): Promise<boolean> {
    using lock = await this.lock(name, { mode: "exclusive", wait: false });
    if (!lock) return false;
    const isCounted = counts();
    rmSync(this.folder(name), { recursive: true, force: true });
    rmSync(`${this.folder(name)}.lock`, { force: true });
    return isCounted;
  }
}

/** Files of a template in its directory. */
export function filesOf(folder: string): Omit<VmTemplate, "role"> {
  return { memoryPath: join(folder, "memory"), statePath: join(folder, "state") };
}

/** Where templates are, when nobody says: a directory of this user's, for each state directory. */
export function defaultTemplatePath(root: string): string {
  const digest = digestOf(root).slice(0, 8);
  return join(SHARED_MEMORY, `husk-templates-${process.geteuid?.() ?? 0}-${digest}`);
}

/** Digest of what a template depends on. */
export function templateKey(identity: string): string {
  return digestOf(identity).slice(0, KEY_DIGITS);
}

function digestOf(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

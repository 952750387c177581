import { createHash } from "node:crypto";
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { HuskError, messageOf, systemCode } from "../errors/index.ts";
import type { VmTemplate } from "../hypervisor/types.ts";

/** What a tmpfs says it is, `TMPFS_MAGIC`. */
const TMPFS = 0x0102_1994;
const KEY = /^[0-9a-f]{32}$/;
const KEY_DIGITS = 32;
const PLACEHOLDER_BYTES = 1024 * 1024;
const SHARED_MEMORY = "/dev/shm";

/** What is stored of a template, beside its memory and state. */
export interface TemplateInfo {
  /** what it depends on, as a digest */
  readonly key: string;
  /** ISO 8601 */
  readonly createdAt: string;
  readonly vcpus: number;
  /** guest memory in MiB */
  readonly memory: number;
  readonly agent: string;
}

/** The templates in a directory: each a directory with memory, state and what it is, under the digest of what it depends on. */
export class TemplateStore {
  readonly path: string;

  /** @throws HuskError ERR_STORE when the directory cannot be made, or is not on a tmpfs */
  constructor(path: string) {
    this.path = path;
    try {
      mkdirSync(path, { recursive: true, mode: 0o700 });
      if (statfsSync(path).type === TMPFS) return;
    } catch (error) {
      throw new HuskError("ERR_STORE", `cannot keep templates in ${path}: ${messageOf(error)}`, {
        cause: error,
      });
    }
    throw new HuskError("ERR_STORE", `cannot keep templates in ${path}: it is on no tmpfs`, {
      hint: `Memory would be written to a disk. Name a directory below ${SHARED_MEMORY}.`,
    });
  }

  /** Files of a template. */
  files(folder: string): Omit<VmTemplate, "role"> {
    return { memoryPath: join(folder, "memory"), statePath: join(folder, "state") };
  }

  /** An empty disk, whose place in each copy its own disk takes. */
  placeholder(): string {
    const path = join(this.path, "placeholder");
    const fd = openSync(path, "a", 0o600);
    ftruncateSync(fd, PLACEHOLDER_BYTES);
    closeSync(fd);
    return path;
  }

  folder(key: string): string {
    return join(this.path, key);
  }

  /** A template that is whole; undefined: there is none of that key. */
  find(key: string): TemplateInfo | undefined {
    const folder = this.folder(key);
    try {
      const info = JSON.parse(readFileSync(join(folder, "template.json"), "utf8")) as TemplateInfo;
      const { memoryPath, statePath } = this.files(folder);
      const isWhole = statSync(memoryPath).size === info.memory * 2 ** 20 && statSync(statePath).size > 0;
      return isWhole && info.key === key ? info : undefined;
    } catch (error) {
      if (systemCode(error) === "ENOENT" || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  /** All templates that are whole. */
  list(): TemplateInfo[] {
    return readdirSync(this.path)
      .filter((name) => KEY.test(name))
      .flatMap((key) => this.find(key) ?? []);
  }

  /** Gives a finished template its name; one that was there, and is not whole, goes. */
  publish(folder: string, key: string): void {
    rmSync(this.folder(key), { recursive: true, force: true });
    renameSync(folder, this.folder(key));
  }

  /** Removes all templates. VMs that began with one go on. */
  clear(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Where templates are, when nobody says. */
export function defaultTemplatePath(root: string): string {
  const digest = createHash("sha256").update(root).digest("hex").slice(0, 8);
  return join(SHARED_MEMORY, `husk-${process.geteuid?.() ?? 0}-${digest}`, "templates");
}

/** Digest of what a template depends on. */
export function templateKey(identity: string): string {
  return createHash("sha256").update(identity).digest("hex").slice(0, KEY_DIGITS);
}

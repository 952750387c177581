/** Mount options as fstab(5) and the OCI runtime specification write them. */

import {
  MOUNT_ATTR_NOATIME,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NODIRATIME,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_NOSYMFOLLOW,
  MOUNT_ATTR_RDONLY,
  MOUNT_ATTR_RELATIME,
  MOUNT_ATTR_STRICTATIME,
  MS_DIRSYNC,
  MS_LAZYTIME,
  MS_NOATIME,
  MS_NODEV,
  MS_NODIRATIME,
  MS_NOEXEC,
  MS_NOSUID,
  MS_NOSYMFOLLOW,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REC,
  MS_RELATIME,
  MS_SHARED,
  MS_SLAVE,
  MS_STRICTATIME,
  MS_SYNCHRONOUS,
  MS_UNBINDABLE,
} from "@husk/tiny/constants";

/** What a list of options asks for. */
export interface MountOptions {
  /** whether what is there already is mounted once more, alone or with all that is mounted below it */
  bind: "no" | "alone" | "tree";
  /** `MS_*` of a new file system */
  flags: number;
  /** `MOUNT_ATTR_*` that a bind gets */
  set: number;
  /** `MOUNT_ATTR_*` that a bind loses; what is not named stays as the source has it */
  clear: number;
  /** whether those go for the mounts below it, too */
  recursive: boolean;
  /** `MS_PRIVATE` and the like, each with or without `MS_REC`, in order */
  propagation: number[];
  /** options of the file system itself, as mount(2) takes them */
  data: string;
}

/** A flag; `attribute` is that of a bind, when a bind can have it. */
interface Flag {
  flag: number;
  attribute?: number;
}

const FLAGS: [set: string, unset: string, flag: Flag][] = [
  ["ro", "rw", { flag: MS_RDONLY, attribute: MOUNT_ATTR_RDONLY }],
  ["nosuid", "suid", { flag: MS_NOSUID, attribute: MOUNT_ATTR_NOSUID }],
  ["nodev", "dev", { flag: MS_NODEV, attribute: MOUNT_ATTR_NODEV }],
  ["noexec", "exec", { flag: MS_NOEXEC, attribute: MOUNT_ATTR_NOEXEC }],
  ["nosymfollow", "symfollow", { flag: MS_NOSYMFOLLOW, attribute: MOUNT_ATTR_NOSYMFOLLOW }],
  ["noatime", "atime", { flag: MS_NOATIME, attribute: MOUNT_ATTR_NOATIME }],
  ["strictatime", "nostrictatime", { flag: MS_STRICTATIME, attribute: MOUNT_ATTR_STRICTATIME }],
  ["relatime", "norelatime", { flag: MS_RELATIME, attribute: MOUNT_ATTR_RELATIME }],
  ["nodiratime", "diratime", { flag: MS_NODIRATIME, attribute: MOUNT_ATTR_NODIRATIME }],
  ["sync", "async", { flag: MS_SYNCHRONOUS }],
  ["dirsync", "nodirsync", { flag: MS_DIRSYNC }],
  ["lazytime", "nolazytime", { flag: MS_LAZYTIME }],
];

const PROPAGATION = new Map([
  ["private", MS_PRIVATE],
  ["slave", MS_SLAVE],
  ["shared", MS_SHARED],
  ["unbindable", MS_UNBINDABLE],
]);

/** The kernel takes the three that tell of access times as one field, which is cleared before it is set. */
const ATIME_FIELD = 0x70;
const ATIME_OPTIONS = ["noatime", "atime", "strictatime", "nostrictatime", "relatime", "norelatime"] as const;

class OptionParser {
  readonly #options: MountOptions = {
    bind: "no",
    flags: 0,
    set: 0,
    clear: 0,
    recursive: false,
    propagation: [],
    data: "",
  };
  readonly #data: string[] = [];
  /** options that mean nothing for a bind */
  readonly #onlyNew: string[] = [];

  parse(type: string, options: readonly string[]): MountOptions {
    if (type === "bind") this.#options.bind = "alone";
    if (type === "rbind") this.#options.bind = "tree";
    for (const option of options) this.#take(option);
    const [odd] = [...this.#onlyNew, ...this.#data];
    if (this.#options.bind !== "no" && odd !== undefined)
      throw new Error(`option "${odd}" means nothing for a bind`);
    if (this.#options.bind === "tree") this.#options.recursive = true;
    return { ...this.#options, data: this.#data.join(",") };
  }

  #take(option: string): void {
    if (option === "defaults") return;
    if (option === "remount") throw new Error('option "remount" is not supported');
    if (option === "bind") this.#options.bind = "alone";
    else if (option === "rbind") this.#options.bind = "tree";
    else if (option === "rro") this.#takeRecursiveReadOnly();
    else if (!this.#takeFlag(option) && !this.#takePropagation(option)) this.#data.push(option);
  }

  #takeRecursiveReadOnly(): void {
    this.#takeFlag("ro");
    this.#options.recursive = true;
  }

  #takeFlag(option: string): boolean {
    const entry = FLAGS.find(([set, unset]) => option === set || option === unset);
    if (!entry) return false;
    const [name, , { flag, attribute }] = entry;
    const on = option === name;
    const { flags, set, clear } = this.#options;
    this.#options.flags = on ? flags | flag : flags & ~flag;
    if (attribute === undefined) {
      if (on) this.#onlyNew.push(option);
    } else if (ATIME_OPTIONS.some((word) => word === option)) {
      this.#options.set = (set & ~ATIME_FIELD) | (on ? attribute : MOUNT_ATTR_RELATIME);
      this.#options.clear = clear | ATIME_FIELD;
    } else {
      this.#options.set = on ? set | attribute : set & ~attribute;
      this.#options.clear = on ? clear & ~attribute : clear | attribute;
    }
    return true;
  }

  #takePropagation(option: string): boolean {
    const plain = PROPAGATION.get(option);
    const tree = option.startsWith("r") ? PROPAGATION.get(option.slice(1)) : undefined;
    if (plain !== undefined) this.#options.propagation.push(plain);
    else if (tree !== undefined) this.#options.propagation.push(tree | MS_REC);
    else return false;
    return true;
  }
}

/**
 * Reads a list of options. The later of two that contradict each other wins; what is no flag is the file system's own.
 *
 * @param type file system type; `bind` and `rbind` bind, as the options of these names do
 * @throws Error for an option that could have no effect
 */
export function parseMountOptions(type: string, options: readonly string[]): MountOptions {
  return new OptionParser().parse(type, options);
}

/** Folders of the host, by mount tag. Each is mounted when it is first used, for all containers of the pod. */

import * as sys from "tiny:sys";
import {
  Errno,
  hasErrno,
  MNT_DETACH,
  MS_NODEV,
  makeDirectories,
  readText,
  readTextIfThere,
} from "@husk/tiny";
import { loadModule } from "../../boot/modules.ts";
import { waitForDevice } from "../../boot/uevents.ts";
import { podPaths } from "../paths.ts";

/** Milliseconds that a share's device has to appear: its driver looks for it in the background. */
const DEADLINE_MS = 10_000;

const DEVICES = "/sys/bus/virtio/devices";

/** The kinds of share, the better one first. 9p's own defaults are an old version and small messages. */
const KINDS: [type: string, data: string | null][] = [
  ["virtiofs", null],
  ["9p", "trans=virtio,version=9p2000.L,msize=262144"],
];

function isMountPoint(folder: string): boolean {
  return sys.stat(folder).dev !== sys.stat(podPaths.shares).dev;
}

/** The kinds that this kernel has, and their names for an error. */
function loadKinds(): { kinds: typeof KINDS; names: string } {
  for (const [type] of KINDS) loadModule(type);
  const known = readText("/proc/filesystems");
  const has = ([type]: (typeof KINDS)[number]) => known.includes(`\t${type}\n`);
  const names = KINDS.map((kind) => (has(kind) ? kind[0] : `no ${kind[0]}: the guest's kernel lacks it`));
  return { kinds: KINDS.filter(has), names: names.join(", ") };
}

/** Whether the host shares by 9p: its device is there, whatever drivers there are. */
function has9pDevice(): boolean {
  return sys
    .readdir(DEVICES)
    .some((name) => readTextIfThere(`${DEVICES}/${name}/device`)?.trim() === "0x0009");
}

function tryMount(tag: string, folder: string, kinds: typeof KINDS): true | undefined {
  for (const [type, data] of kinds) {
    try {
      sys.mount(tag, folder, type, MS_NODEV, data);
      return true;
    } catch (error) {
      // virtiofs says the one, 9p the other, of a tag that no device has.
      if (!hasErrno(error, Errno.EINVAL, Errno.ENOENT)) throw error;
    }
  }
  if (!kinds.some(([type]) => type === "9p") && has9pDevice())
    throw new Error(`share "${tag}" comes by 9p, which the guest's kernel does not have`);
  return undefined;
}

/** See the head of the file. */
export class Shares {
  readonly #defaultTag: string | undefined;
  readonly #mounted = new Set<string>();

  /** @param defaultTag the pod's own share; undefined when it has none */
  constructor(defaultTag: string | undefined) {
    this.#defaultTag = defaultTag;
  }

  /**
   * The folder of a share, mounted. What is mounted there already is used as it is.
   *
   * @param tag its mount tag; undefined for the pod's own share
   * @throws Error when there is no such share, or the kernel has no file system for it
   */
  async mount(tag = this.#defaultTag): Promise<string> {
    if (tag === undefined) throw new Error("the pod has no share: STARTPOD named no shareDir");
    if (tag.includes("/") || tag === "." || tag === "..")
      throw new Error(`"${tag}" is not the tag of a share`);
    const folder = `${podPaths.shares}/${tag}`;
    makeDirectories(folder, 0o700);
    if (isMountPoint(folder)) return folder;
    const { kinds, names } = loadKinds();
    if (kinds.length === 0) throw new Error(`share "${tag}": the guest's kernel has neither virtiofs nor 9p`);
    await waitForDevice(`share "${tag}" (${names})`, DEADLINE_MS, () => tryMount(tag, folder, kinds));
    this.#mounted.add(folder);
    return folder;
  }

  /** Unmounts what it has mounted. */
  end(): void {
    for (const folder of this.#mounted) sys.umount(folder, MNT_DETACH);
    this.#mounted.clear();
  }
}

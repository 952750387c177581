import { HuskError } from "../../errors/index.ts";
import { SHARE_FD } from "../../storage/share-namespace.ts";
import type { Share } from "../types.ts";
import type { QemuPlan } from "./command-line.ts";
import { transportOf } from "./transport.ts";

/** Longest mount tag of each kind, in bytes: what its device can tell the guest. */
const MAX_TAG_BYTES = { virtiofs: 36, "9p": 31 } as const;

/** Descriptor of the first share in QEMU: a virtiofs daemon's connection, or the directory itself. */
const FIRST_FD = SHARE_FD;

/** The devices of the directories that are shared with the guest. */
export function shareArguments(plan: QemuPlan): string[] {
  return plan.shares.flatMap((share, index) => {
    checkTag(share);
    const { virtiofs, ninep, common } = transportOf(plan.machine);
    const id = `share${index}`;
    if (share.kind === "virtiofs") {
      // This device has no legacy form that could be disabled.
      const device = { driver: virtiofs, id, chardev: `${id}-daemon`, tag: share.tag };
      const chardev = `socket,id=${id}-daemon,fd=${FIRST_FD + index}`;
      return ["-chardev", chardev, "-device", JSON.stringify(device)];
    }
    const device = { driver: ninep, id, fsdev: `${id}-dir`, mount_tag: share.tag, ...common };
    // Files of several host file systems may lie below the directory: their inode numbers are kept apart.
    const path = `/proc/self/fd/${FIRST_FD + index}`;
    const fsdev = `local,id=${id}-dir,path=${path},security_model=passthrough,multidevs=remap`;
    return ["-fsdev", fsdev, "-device", JSON.stringify(device)];
  });
}

function checkTag({ tag, kind }: Share): void {
  const max = MAX_TAG_BYTES[kind];
  if (tag !== "" && Buffer.byteLength(tag) <= max) return;
  const text = `the mount tag ${JSON.stringify(tag.slice(0, 80))} must have from 1 to ${max} bytes for ${kind}`;
  throw new HuskError("ERR_CONFIG_INVALID", text);
}

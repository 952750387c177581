/** Giving a volume's files to a group, as Kubernetes asks for it. */

import * as sys from "tiny:sys";
import { S_IFDIR, S_IFLNK, S_IFMT } from "@husk/tiny";
import { type FSGroup, FSGroupChangePolicy } from "@husk/wire/kata";
import { askChild } from "../ask-child.ts";

/** What the group may do with files and folders that it is given; new ones in a folder are the group's, too. */
const FILE_BITS = 0o660;
const FOLDER_BITS = 0o2770;

function give(path: string, gid: number): void {
  const { mode } = sys.lstat(path);
  const kind = mode & S_IFMT;
  sys.lchown(path, -1, gid);
  if (kind === S_IFLNK) return;
  sys.chmod(path, (mode & 0o7777) | (kind === S_IFDIR ? FOLDER_BITS : FILE_BITS));
  if (kind === S_IFDIR) for (const name of sys.readdir(path)) give(`${path}/${name}`, gid);
}

/** Gives all that is in a volume to a group, in a child whose root the volume is: no link leads out of it. */
export async function giveToGroup(volume: string, { groupId, groupChangePolicy }: FSGroup): Promise<void> {
  const isRight = sys.lstat(volume).gid === groupId;
  if (isRight && groupChangePolicy === FSGroupChangePolicy.OnRootMismatch) return;
  await askChild(`giving "${volume}" to group ${groupId}`, 0, () => {
    sys.chroot(volume);
    sys.chdir("/");
    give(".", groupId);
    return new Uint8Array();
  });
}

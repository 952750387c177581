import * as sys from "tiny:sys";
import { S_IFDIR, S_IFMT } from "@husk/tiny";
import { askChild } from "../ask-child.ts";

function removeContents(folder: string): void {
  for (const name of sys.readdir(folder)) {
    const path = `${folder}/${name}`;
    if ((sys.lstat(path).mode & S_IFMT) !== S_IFDIR) sys.unlink(path);
    else {
      removeContents(path);
      sys.rmdir(path);
    }
  }
}

/**
 * Removes a folder with all that is in it. That is done in a child whose root it is: no link in it leads out, and as many
 * files as a container may have left do not hold up the agent.
 */
export async function removeTree(folder: string): Promise<void> {
  await askChild(`removing "${folder}"`, 0, () => {
    sys.chroot(folder);
    sys.chdir("/");
    removeContents(".");
    return new Uint8Array();
  });
  sys.rmdir(folder);
}

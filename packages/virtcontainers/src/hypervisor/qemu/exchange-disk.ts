import type { Drive } from "../types.ts";
import { asDisk, blockdevOf } from "./disks.ts";
import { QmpClient, type QmpOptions } from "./qmp-client.ts";

/**
 * Puts another image behind a disk that a VM has. The guest is told nothing: what it knows of the disk's size stays.
 * @throws HuskError ERR_ASSET_MISSING, ERR_NOT_SUPPORTED (a format that is not raw), ERR_QMP, ERR_TIMEOUT, ERR_ABORTED
 */
export async function exchangeDisk(drive: Drive, qmpPath: string, options: QmpOptions): Promise<void> {
  const { file, ...disk } = blockdevOf(asDisk(drive));
  const name = `file-${drive.id}`;
  const opened = { ...file, "node-name": name, "read-only": true };
  const reopened = { ...disk, "read-only": true, file: name };
  await QmpClient.use(qmpPath, options, async (client) => {
    await client.execute({ execute: "blockdev-add", arguments: opened }, options);
    // What was behind it before is closed with this.
    await client.execute({ execute: "blockdev-reopen", arguments: { options: [reopened] } }, options);
  });
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { allocateDriveId, drivesFor, findDrive } from "./drives.ts";

const image = (path: string) => ({ path, fstype: "erofs" });

test("one disk serves all containers of an image", () => {
  const drives = drivesFor([image("/a"), image("/b"), image("/a")]);
  assert.deepEqual(drives, [
    { id: "rootfs0", imagePath: "/a", fstype: "erofs" },
    { id: "rootfs1", imagePath: "/b", fstype: "erofs" },
  ]);
  assert.equal(findDrive(drives, image("/b"))?.id, "rootfs1");
  assert.equal(findDrive(drives, image("/c")), undefined);
});

test("ids that are free are used again", () => {
  const drives = drivesFor([image("/a"), image("/b"), image("/c")]);
  assert.equal(allocateDriveId(drives), "rootfs3");
  assert.equal(allocateDriveId(drives.filter(({ id }) => id !== "rootfs1")), "rootfs1");
});

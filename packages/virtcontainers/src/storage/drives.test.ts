import assert from "node:assert/strict";
import { test } from "node:test";
import { drivesFor, findDrive, newDrive } from "./drives.ts";

const image = (path: string) => ({ path, fstype: "erofs", readOnly: true });

test("one disk serves all containers of an image", () => {
  const drives = drivesFor([image("/a"), image("/b"), image("/a")]);
  assert.deepEqual(drives, [
    { id: "drive0", imagePath: "/a", fstype: "erofs", readOnly: true },
    { id: "drive1", imagePath: "/b", fstype: "erofs", readOnly: true },
  ]);
  assert.equal(findDrive(drives, image("/b"))?.id, "drive1");
  assert.equal(findDrive(drives, image("/c")), undefined);
});

test("a disk is writable or not, for all containers of a pod", () => {
  assert.deepEqual(drivesFor([{ path: "/a", readOnly: false }]), [
    { id: "drive0", imagePath: "/a", readOnly: false },
  ]);
  assert.throws(() => drivesFor([image("/a"), { path: "/a", readOnly: false }]), {
    code: "ERR_NOT_SUPPORTED",
    message: /^\/a cannot be both/,
  });
});

test("ids that are free are used again", () => {
  const drives = drivesFor([image("/a"), image("/b"), image("/c")]);
  assert.equal(newDrive(drives, image("/d")).id, "drive3");
  assert.equal(
    newDrive(
      drives.filter(({ id }) => id !== "drive1"),
      image("/d"),
    ).id,
    "drive1",
  );
});

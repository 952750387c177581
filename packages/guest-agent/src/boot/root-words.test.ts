import assert from "node:assert/strict";
import { test } from "node:test";
import { readDiskRoot } from "./root-words.ts";

test("a root on a disk is read from the kernel's words, of which the last wins", () => {
  const root = { disk: "vda", fstype: "erofs", readOnly: true, init: "/sbin/init" };
  assert.deepEqual(readDiskRoot("quiet root=/dev/vda rootfstype=erofs ro\n"), root);
  assert.deepEqual(readDiskRoot("root=/dev/disk/by-id/virtio-guestroot rootfstype=erofs"), {
    ...root,
    disk: "guestroot",
  });
  assert.deepEqual(readDiskRoot("root=/dev/vda rootfstype=erofs ro init=/bin/sh root=/dev/vdb1 rw"), {
    ...root,
    disk: "vdb1",
    readOnly: false,
    init: "/bin/sh",
  });
});

test("without a root there is none, and one that cannot be found is refused", () => {
  assert.equal(readDiskRoot("quiet panic=-1 myroot=/dev/vda"), undefined);
  for (const words of [
    "root=UUID=1-2 rootfstype=ext4",
    "root=/dev/../x rootfstype=ext4",
    "root= rootfstype=a",
  ]) {
    assert.throws(() => readDiskRoot(words), /are supported/, words);
  }
  assert.throws(() => readDiskRoot("root=/dev/vda ro"), /rootfstype/);
});

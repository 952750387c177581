import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeTempRoot } from "../testing/temp-root.ts";
import type { ContainerConfig, PodConfig } from "../types/index.ts";
import { drivesFor } from "./drives.ts";
import { bindsOf, disksOf, drivesIn, planStorage, storageOf } from "./storage-plan.ts";

const cmd = { args: ["true"] };
const pod: PodConfig = { id: "p", volumes: [{ mountTag: "vol", hostPath: "/srv" }] };

test("a shared root and mounts become binds by name; volumes and the guest's own need none", async (t) => {
  const { base, rootFs, cache } = makeTempRoot(t);
  const data = join(base, "data");
  mkdirSync(data);
  const mounts = [
    { source: "vol", destination: "/vol", type: "volume", readOnly: true },
    { source: data, destination: "/data", type: "bind" },
    { source: "", destination: "/tmp", type: "tmpfs" },
    { source: "/dev/null", destination: "/dev/void", type: "bind" },
    { source: data, destination: "/fixed", options: ["rbind", "ro"] },
  ];
  const config: ContainerConfig = { id: "c", rootFs, sharedRootfs: true, readonlyRootfs: true, cmd, mounts };
  const plan = await planStorage(config, pod, { cache });
  assert.deepEqual(bindsOf(plan), [
    { source: rootFs, name: "c/rootfs", readOnly: true, recursive: true },
    { source: data, destination: "/data", name: "c/mount1", readOnly: false, recursive: false },
    { source: data, destination: "/fixed", name: "c/mount3", readOnly: true, recursive: true },
  ]);
  assert.deepEqual(disksOf(plan), []);
  assert.deepEqual(storageOf(plan, []), {
    root: { share: "c/rootfs" },
    shared: [
      { source: "", tag: "vol", destination: "/vol", readOnly: true },
      { source: "c/mount1", destination: "/data", readOnly: false },
      { source: "c/mount3", destination: "/fixed", readOnly: true },
    ],
    mounts: [{ destination: "/tmp", type: "tmpfs", source: "tmpfs", options: [] }],
    devices: [{ path: "/dev/void", type: "c", major: 1, minor: 3, fileMode: 0o666 }],
  });
});

test("a packed root is a disk, found by the address that the disk got", async (t) => {
  const { rootFs, cache } = makeTempRoot(t);
  const plan = await planStorage({ id: "c", rootFs, cmd }, pod, { cache });
  const [disk] = disksOf(plan);
  assert.ok(disk?.readOnly && disk.path.startsWith(cache));
  const drives = drivesFor(disksOf(plan)).map((drive) => ({ ...drive, addr: "0:1" }));
  const storage = storageOf(plan, drives);
  assert.deepEqual(storage.root, { drive: "drive0", addr: "0:1", fstype: "erofs" });
  assert.deepEqual(drivesIn(storage), ["drive0"]);
  assert.deepEqual(bindsOf(plan), []);
});

test("without block devices a root directory is shared, and what would be a disk is refused", async (t) => {
  const { rootFs, cache } = makeTempRoot(t);
  const noDisks = { ...pod, hypervisorConfig: { disableBlockDeviceUse: true } };
  const plan = await planStorage({ id: "c", rootFs, cmd }, noDisks, { cache });
  assert.deepEqual(storageOf(plan, []).root, { share: "c/rootfs" });
  const packed = await planStorage({ id: "c", rootFs, cmd }, pod, { cache });
  const image = disksOf(packed)[0]?.path;
  assert.ok(image);
  const config = { id: "c", rootFs: image, cmd };
  await assert.rejects(planStorage(config, noDisks, { cache }), {
    code: "ERR_NOT_SUPPORTED",
    containerId: "c",
  });
  await assert.rejects(planStorage({ ...config, sharedRootfs: true }, pod, { cache }), {
    code: "ERR_CONFIG_INVALID",
    message: /^sharedRootfs: the root is not a directory/,
  });
});

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, cp, mkdir, readFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe } from "node:test";
import { promisify } from "node:util";
import { createPod, deletePod, type HypervisorConfig, runPod, statusPod } from "@husk/virtcontainers";
import { AGENT, DEMO_ROOTFS, INITRAMFS, MODULES } from "./support/places.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const run = promisify(execFile);

const MAKERS = {
  erofs: (image: string, tree: string) => run("mkfs.erofs", ["--quiet", image, tree]),
  ext4: (image: string, tree: string) => run("mke2fs", ["-q", "-t", "ext4", "-d", tree, image, "16m"]),
} as const;

const MACHINES: { fstype: keyof typeof MAKERS; changes: HypervisorConfig }[] = [
  { fstype: "erofs", changes: {} },
  { fstype: "ext4", changes: { hypervisorMachineType: "pc", blockDeviceDriver: "virtio-scsi" } },
  { fstype: "erofs", changes: { hypervisorMachineType: "microvm" } },
];

describe("a guest whose root is a disk image", () => {
  for (const { fstype, changes } of MACHINES) {
    const machine = changes.hypervisorMachineType ?? "q35";
    it(`boots from ${fstype} on ${machine}, and runs containers`, async ({ signal }) => {
      await using place = await Workplace.create(signal);
      const tree = await makeTree(place);
      // Under this name only the image has an init: the initramfs has another.
      await rename(join(tree, "sbin/init"), join(tree, "sbin/disk-init"));
      const hypervisorConfig: HypervisorConfig = {
        ...place.hypervisorConfig,
        imagePath: await makeImage(place, tree, fstype),
        initrdPath: INITRAMFS,
        kernelParams: [{ key: "init", value: "/sbin/disk-init" }],
        debug: true,
        ...changes,
      };
      const containers = [{ id: "c", rootFs: DEMO_ROOTFS, cmd: { args: ["sleep", "1000"] } }];
      await runPod({ id: "disk", hypervisorConfig, containers }, place.options);
      assert.equal((await statusPod("disk", place.options)).containersStatus[0]?.state, "running");
      const console = await readFile(join(place.root, "pods/disk/console.log"), "latin1");
      assert.match(
        console,
        fstype === "erofs" ? /erofs: \(device vd.\): mounted/ : /EXT4-fs \(vd.\): mounted/,
      );
      assert.match(console, /Linux version/, "with debug, the kernel talks");
      await deletePod("disk", place.options);
    });
  }

  it("says why it cannot be entered", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const tree = await makeTree(place);
    await rename(join(tree, "sbin/init"), join(tree, "sbin/other"));
    const imagePath = await makeImage(place, tree, "erofs");
    const hypervisorConfig = { ...place.hypervisorConfig, imagePath, initrdPath: INITRAMFS };
    await assert.rejects(createPod({ id: "disk", hypervisorConfig }, place.options), {
      code: "ERR_VM_LOST",
      message: /\/dev\/vd. has no \/sbin\/init/,
    });
  });

  it("is refused when two images are to be the guest's memory, or none is known", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const twice = { ...place.hypervisorConfig, initrdPath: INITRAMFS };
    await assert.rejects(createPod({ id: "disk", hypervisorConfig: twice }, place.options), {
      code: "ERR_CONFIG_INVALID",
    });
    const unknown = { ...place.hypervisorConfig, imagePath: join(DEMO_ROOTFS, "etc/passwd") };
    await assert.rejects(createPod({ id: "disk", hypervisorConfig: unknown }, place.options), {
      code: "ERR_NOT_SUPPORTED",
    });
  });
});

/** The files of a guest: the agent as init, its modules, and folders to mount on. */
async function makeTree(place: Workplace): Promise<string> {
  const tree = join(place.folder, "tree");
  for (const folder of ["dev", "lib", "proc", "run", "sbin", "sys", "tmp"]) {
    await mkdir(join(tree, folder), { recursive: true });
  }
  await copyFile(AGENT, join(tree, "sbin/init"));
  await cp(MODULES, join(tree, "lib/modules"), { recursive: true });
  return tree;
}

async function makeImage(place: Workplace, tree: string, fstype: keyof typeof MAKERS): Promise<string> {
  const image = join(place.folder, `guest.${fstype}`);
  await mkdir(dirname(image), { recursive: true });
  await MAKERS[fstype](image, tree);
  return image;
}

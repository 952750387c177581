import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { findBuildRoot, GuestImageMissingError, guestPaths } from "./guest-paths.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "husk-paths-"));
  delete process.env.HUSK_KERNEL;
  delete process.env.HUSK_INITRAMFS;
  delete process.env.HUSK_RESIDENTS;
});

afterEach(() => rm(folder, { recursive: true }));

async function makeGuest(...names: string[]): Promise<void> {
  await mkdir(join(folder, "guest"), { recursive: true });
  for (const name of names) await writeFile(join(folder, "guest", name), "");
}

test("a built guest is found", async () => {
  await makeGuest("vmlinux", "initramfs.cpio");
  assert.deepEqual(guestPaths(folder), {
    kernel: join(folder, "guest/vmlinux"),
    initramfs: join(folder, "guest/initramfs.cpio"),
    demoRootfs: join(folder, "rootfs/busybox"),
    residents: join(folder, "resident"),
  });
});

test("a part that is missing is an error that says how to make it", async () => {
  await makeGuest("vmlinux");
  assert.throws(
    () => guestPaths(folder),
    (error) =>
      error instanceof GuestImageMissingError &&
      error.code === "ERR_GUEST_IMAGE_MISSING" &&
      /initramfs is missing/.test(error.message) &&
      /npm run setup/.test(error.hint),
  );
});

test("the environment takes the place of what is built", async () => {
  const other = join(folder, "other");
  await writeFile(other, "");
  process.env.HUSK_KERNEL = other;
  process.env.HUSK_INITRAMFS = other;
  process.env.HUSK_RESIDENTS = other;
  const { kernel, initramfs, residents } = guestPaths(folder);
  assert.deepEqual([kernel, initramfs, residents], [other, other, other]);
});

test("an environment that points at nothing is an error that names the variable", async () => {
  await makeGuest("vmlinux", "initramfs.cpio");
  process.env.HUSK_KERNEL = join(folder, "gone");
  assert.throws(
    () => guestPaths(folder),
    (error) => error instanceof GuestImageMissingError && /HUSK_KERNEL/.test(error.hint),
  );
});

test("the build's folder is that of the repository around, past other packages", async () => {
  const deep = join(folder, "packages/x/src");
  await mkdir(deep, { recursive: true });
  await writeFile(join(folder, "packages/x/package.json"), '{ "name": "x" }');
  await writeFile(join(folder, "packages/package.json"), "not JSON");
  assert.equal(findBuildRoot(deep), undefined);
  await writeFile(join(folder, "package.json"), '{ "name": "husk-workspace" }');
  assert.equal(findBuildRoot(deep), join(folder, "build"));
  assert.equal(findBuildRoot(folder), join(folder, "build"));
});

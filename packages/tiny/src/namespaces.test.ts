import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, describe, test } from "node:test";
import { needsRoot } from "../test/support/needs-root.ts";
import { TestProgram } from "../test/support/test-program.ts";

describe("mounts and namespaces", needsRoot, async () => {
  const program = await TestProgram.build("namespaces");
  let folder: string;
  const folders: string[] = [];
  after(() => Promise.all([program.remove(), ...folders.map((path) => rm(path, { recursive: true }))]));
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "husk-mounts-"));
    folders.push(folder);
  });

  test("file systems are mounted, bound, made read-only and unmounted", async () => {
    const path = `${folder}/new`;
    assert.deepEqual(await program.report("mounts", folder), {
      mode: 0o711,
      bound: "x",
      unbound: "y",
      readOnly: { message: `open ${path}: Read-only file system`, syscall: "open", errno: 30, path },
      left: 0,
      again: { message: `umount2 ${folder}: Invalid argument`, syscall: "umount2", errno: 22, path: folder },
    });
  });

  test("attributes are set on a mount, or on all below it", async () => {
    const refused = {
      message: "mount_setattr /proc/self: Invalid argument",
      syscall: "mount_setattr",
      errno: 22,
      path: "/proc/self",
    };
    assert.deepEqual(await program.report("attributes", folder), [
      ["failed", "written"],
      ["failed", "failed"],
      ["written", "written"],
      refused,
    ]);
  });

  test("capabilities are set, also those above the first 32", async () => {
    const refused = { message: "capset: Operation not permitted", syscall: "capset", errno: 1 };
    assert.deepEqual(await program.report("capabilities"), [[32, 1 + 32 + 2 ** 39, 1, 32], refused]);
  });

  test("a root can be left for good", async () => {
    assert.deepEqual(await program.report("pivot", folder), [true, false, ["inside"]]);
  });

  test("a namespace is joined by its descriptor, if it is of that kind", async () => {
    const wrong = { message: "setns: Invalid argument", syscall: "setns", errno: 22 };
    assert.deepEqual(await program.report("setns", folder), [true, false, wrong]);
  });

  test("a forked child has namespaces of its own", async () => {
    assert.deepEqual(await program.report("hostname"), [0, true]);
    assert.equal(await program.report("firstProcess"), 0);
  });

  test("a root is changed, and come back from by descriptor", async () => {
    assert.equal(await program.report("chroot", folder), 0);
  });

  test("what the kernel refuses is an error with its path", async () => {
    const none = (syscall: string) => ({
      message: `${syscall} /none: No such file or directory`,
      syscall,
      errno: 2,
      path: "/none",
    });
    const invalid = { message: "unshare: Invalid argument", syscall: "unshare", errno: 22 };
    assert.deepEqual(await program.report("refused"), [none("mount"), none("pivot_root"), invalid]);
  });
});

import assert from "node:assert/strict";
import { chmod, mkdtemp, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { buildDemoRootfs } from "./rootfs.ts";
import { CommandError } from "./run-command.ts";

const FAKE_BUSYBOX = `#!/bin/sh
printf '%s\\n' bin/busybox bin/sh usr/bin/awk sbin/init ../escape /etc/passwd 'bin/a b' 'usr/bin/['
`;

test("the root file system has the programs, folders and files that programs look for", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "husk-rootfs-"));
  t.after(() => rm(folder, { recursive: true }));
  const busybox = join(folder, "fake-busybox");
  await writeFile(busybox, FAKE_BUSYBOX);
  await chmod(busybox, 0o755);
  const rootfs = join(folder, "rootfs");

  // A mask that would take bits away from what is made.
  const umask = process.umask(0o077);
  try {
    await buildDemoRootfs(busybox, rootfs);
    await buildDemoRootfs(busybox, rootfs);
  } finally {
    process.umask(umask);
  }

  assert.equal(await readFile(join(rootfs, "bin/busybox"), "utf8"), FAKE_BUSYBOX);
  for (const applet of ["bin/sh", "usr/bin/awk", "sbin/init", "usr/bin/["]) {
    assert.equal(await readlink(join(rootfs, applet)), "/bin/busybox");
  }
  await assert.rejects(stat(join(folder, "escape")), { code: "ENOENT" });
  const modeOf = async (path: string) => (await stat(join(rootfs, path))).mode & 0o7777;
  assert.equal(await modeOf("."), 0o755);
  assert.equal(await modeOf("tmp"), 0o1777);
  assert.equal(await modeOf("root"), 0o700);
  assert.equal(await modeOf("usr/bin"), 0o755);
  assert.equal(await modeOf("bin/busybox"), 0o755);
  assert.equal(await modeOf("etc/passwd"), 0o644);
  assert.match(await readFile(join(rootfs, "etc/passwd"), "utf8"), /^root:x:0:0:.*\n(.*\n)*nobody:/);
});

test("a busybox that does not run is an error", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "husk-rootfs-"));
  t.after(() => rm(folder, { recursive: true }));
  const busybox = join(folder, "busybox");
  await writeFile(busybox, "#!/bin/sh\necho broken >&2; exit 3\n", { mode: 0o755 });
  await assert.rejects(
    buildDemoRootfs(busybox, join(folder, "rootfs")),
    (error) => error instanceof CommandError && /status 3/.test(error.message) && /broken/.test(error.output),
  );
});

import assert from "node:assert/strict";
import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Command } from "@husk/wire/hyperstart";
import {
  describeContainer,
  type Options,
  sh,
  startContainer,
  startPod,
  useDisk,
} from "../../../test/support/containers.ts";
import { fillImage, needsDisk } from "../../../test/support/disk.ts";
import type { Session } from "../../../test/support/session.ts";
import { makeFolder } from "../../../test/support/stage.ts";

useDisk();

/** A share, and a pod that has it as its own and by another tag. */
async function openShare() {
  const folder = await makeFolder();
  const session = await startPod(
    { hostname: "pod", shareDir: "own" },
    { shares: { own: folder.path, other: folder.path } },
  );
  return {
    session,
    path: folder.path,
    async [Symbol.asyncDispose]() {
      await session[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Runs a script as a container; gives what it wrote. */
async function output(session: Session, script: string, options: Options): Promise<string> {
  const { stdout, stderr } = await (await startContainer(session, "c", sh(script), options)).result();
  await session.command(Command.REMOVECONTAINER, { container: "c" });
  return stdout + stderr;
}

async function refusal(session: Session, options: Options): Promise<string> {
  const { request } = describeContainer(session, "c", ["/bin/true"], options);
  return session.refuse(Command.NEWCONTAINER, request);
}

const entry = (source: string, path: string, more: object = {}) => ({
  source,
  path,
  readOnly: false,
  dockerVolume: false,
  ...more,
});

describe("a share", needsDisk, () => {
  test("gives its folders and files to containers, to be written to or not", async () => {
    await using share = await openShare();
    await mkdir(join(share.path, "folder"));
    await writeFile(join(share.path, "file"), "of the host\n");
    const script =
      "cat /a/new/file; echo x > /folder/x; echo x > /fixed/x; echo y >> /a/new/file; mount | grep -c fixed";
    const text = await output(share.session, script, {
      fsmap: [
        entry("file", "/a/new/file"),
        entry("folder/", "/folder", { tag: "other" }),
        entry("folder", "/fixed", { readOnly: true }),
      ],
    });
    assert.match(text, /^of the host\n1\n.*\/fixed\/x: Read-only file system\n$/);
    assert.deepEqual(await readdir(join(share.path, "folder")), ["x"]);
    assert.equal(await readFile(join(share.path, "file"), "utf8"), "of the host\ny\n");
  });

  test("has nothing of the guest, whatever its links and the image's say", async () => {
    await using share = await openShare();
    await symlink("/etc", join(share.path, "absolute"));
    await symlink("../../../../etc", join(share.path, "relative"));
    for (const source of ["absolute", "relative", "../../../etc", "none"]) {
      assert.equal(
        await refusal(share.session, { fsmap: [entry(source, "/x")] }),
        `mount "/x": "${source}" is not in the share`,
      );
    }
    await mkdir(join(share.path, "etc"));
    // The image's links lead to /run by ways that leave a root, if they are let.
    for (const [path, expected] of [
      ["/escape/x", "/run/x"],
      ["/climb/x", "/run/x"],
      ["/../../x", "/x"],
    ] as const) {
      const script = "ls -d /run/x /x 2>/dev/null; test -e /proc/1/root/run/x || echo apart";
      const text = await output(share.session, script, { fsmap: [entry("relative", path)] });
      assert.equal(text, `${expected}\napart\n`, path);
    }
  });

  test("may have a container's root, which the host then sees", async () => {
    await using share = await openShare();
    await fillImage(join(share.path, "c/rootfs"));
    const root = { fstype: "", image: "c", rootfs: "rootfs" };
    assert.equal(
      await output(share.session, "echo x > /new; cat /etc/hostname; mount | grep -c overlay", root),
      "pod\n0\n",
    );
    assert.equal(await readFile(join(share.path, "c/rootfs/new"), "utf8"), "x\n");
    const fixed = await output(share.session, "echo y > /new", { ...root, readOnly: true, tag: "other" });
    assert.match(fixed, /\/new: Read-only file system/);
    assert.equal(
      await refusal(share.session, { fstype: "", image: "none" }),
      'image "none" is not a folder of the share',
    );
  });

  test("with a read-only root gets mount points that the root lacks, and no more", async () => {
    await using share = await openShare();
    await fillImage(join(share.path, "root"));
    const before = await readdir(join(share.path, "root"));
    const options = { readOnly: true, fsmap: [entry("root/etc", "/not/there", { readOnly: true })] };
    for (const root of [{ fstype: "", image: "root" }, {}]) {
      const text = await output(share.session, "ls /not/there/passwd; echo x > /x", { ...root, ...options });
      assert.match(text, /^\/not\/there\/passwd\n.*\/x: Read-only file system\n$/);
    }
    assert.deepEqual(await readdir(join(share.path, "root")), before);
  });

  test("has docker's volumes, which get what the image has in their place", async () => {
    await using share = await openShare();
    await mkdir(join(share.path, "volume"));
    const options = { fsmap: [entry("volume", "/data", { dockerVolume: true })] };
    assert.equal(await output(share.session, "ls /data", options), "");
    const script = "ls /data; stat -c '%a %u %g %Y %h' /data/file /data/deep; readlink /data/link";
    const text = await output(share.session, script, { ...options, initialize: true });
    const deep = await stat(join(share.path, "volume/_data/deep"));
    const times = `4750 1000 1001 1000000000 2\n711 0 0 ${Math.floor(deep.mtimeMs / 1000)} 2\n`;
    assert.equal(text, `again\ndeep\nfile\nlink\n${times}file\n`);
    await writeFile(join(share.path, "volume/_data/mine"), "");
    const again = await output(share.session, "ls /data", { ...options, initialize: true });
    assert.equal(again, "again\ndeep\nfile\nlink\nmine\n");
  });
});

describe("a mount of the guest's own", needsDisk, () => {
  const mount = (destination: string, type: string, options: string[] = [], source = type) => ({
    destination,
    type,
    source,
    options,
  });

  test("is a new file system with its options", async () => {
    await using session = await startPod();
    const script =
      "mount | grep -e /tmp -e /queue -e /a | cut -d' ' -f3,5,6; stat -c %a /tmp; ls /a; echo x > /fixed/x";
    const text = await output(session, script, {
      mounts: [
        mount("/a/inner", "tmpfs"),
        mount("/a", "tmpfs", ["nosuid", "noexec", "size=64k"]),
        mount("/tmp", "tmpfs", ["nosuid", "nodev", "size=64k", "mode=1700"]),
        mount("/queue", "mqueue", ["nosuid"]),
        mount("/fixed", "tmpfs", ["ro"]),
      ],
    });
    assert.match(text, /^\/a tmpfs \(rw,nosuid,noexec,.*size=64k.*\)$/m);
    assert.match(text, /^\/tmp tmpfs \(rw,nosuid,nodev,.*size=64k,mode=1700.*\)$/m);
    assert.match(text, /^\/queue mqueue \(rw,nosuid,/m);
    assert.match(text, /^1700\ninner\n.*\/fixed\/x: Read-only file system\n$/m);
  });

  test("binds inside the container, alone or with all below, read-only as a whole", async () => {
    await using session = await startPod();
    const script =
      "ls /file /alone/sub; echo ok > /top/sub/y; cat /tree/sub/y; echo x > /tree/x; echo x > /tree/sub/x";
    const text = await output(session, script, {
      mounts: [
        mount("/top", "tmpfs"),
        mount("/top/sub", "tmpfs"),
        mount("/alone/", "bind", [], "/top"),
        mount("/file", "bind", ["ro"], "/etc/passwd"),
        mount("/again", "", ["rbind", "rprivate"], "/top"),
        mount("/tree/.", "bind", ["rbind", "ro"], "/top"),
      ],
    });
    assert.match(
      text,
      /^\/file\n\n\/alone\/sub:\nok\n.*\/tree\/x: Read-only.*\n.*\/tree\/sub\/x: Read-only file system\n$/,
    );
  });

  test("that cannot be is told by name", async () => {
    await using session = await startPod();
    for (const [wrong, text] of [
      [mount("/x", "nosuchfs"), 'mount "/x": the guest\'s kernel has no file system "nosuchfs"'],
      [mount("/x", "tmpfs", ["size=much"]), 'mount "/x": tmpfs refuses the options "size=much"'],
      [mount("/x", "bind", ["size=1"], "/etc"), 'mount "/x": option "size=1" means nothing for a bind'],
      [mount("/x", "bind", [], "/none"), 'mount "/x": "/none" is not in the container'],
      [mount("/", "tmpfs"), 'mount "/": it would cover the root'],
      [mount("/x", ""), 'mount "/x" has no type'],
    ] as const) {
      assert.equal(await refusal(session, { mounts: [{ ...wrong, options: [...wrong.options] }] }), text);
    }
  });
});

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { promisify } from "node:util";
import { buildProgram } from "@husk/tiny/build";
import type { Storage } from "@husk/wire/kata";
import { needsDisk, plugDisk, plugEmptyDisk } from "../../../test/support/disk.ts";
import { needsStage } from "../../../test/support/stage.ts";

const folder = await mkdtemp(join(tmpdir(), "husk-agent-"));
after(() => rm(folder, { recursive: true, force: true }));
const entry = join(import.meta.dirname, "../../../test/programs/storages.ts");
const { output: program } = await buildProgram({ entry, output: join(folder, "storages") });

const NAMESPACES = ["--mount", "--pid", "--fork", "--mount-proc", "--kill-child"];

/** Has the program do these steps with an empty /run, after a script of the shell's; gives its answers. */
async function obey(script: string, ...steps: [verb: string, ...unknown[]][]): Promise<unknown[]> {
  const shell = `mount -t tmpfs tmpfs /run && { ${script || ":"}; } && exec "$@"`;
  const args = [
    ...NAMESPACES,
    "sh",
    "-ec",
    shell,
    "sh",
    program,
    ...steps.map((step) => JSON.stringify(step)),
  ];
  const { stdout } = await promisify(execFile)("unshare", args, { timeout: 60_000 });
  return JSON.parse(stdout) as unknown[];
}

const storage = (driver: string, mountPoint: string, more: Partial<Storage> = {}) => ({
  driver,
  driverOptions: [],
  source: "",
  fstype: "",
  options: [],
  mountPoint,
  ...more,
});

const shm = storage("ephemeral", "/run/sandbox/shm", {
  source: "shm",
  fstype: "tmpfs",
  options: ["noexec", "nosuid", "nodev", "mode=1777", "size=65536"],
});

describe("storages", needsStage, () => {
  test("in memory are mounted as told, and taken away with their folders", async () => {
    const group = storage("ephemeral", "/run/group", { fstype: "tmpfs", options: ["fsgid=1234", "size=1M"] });
    const [added, mounts, mode, released, left, names] = await obey(
      "",
      ["add", "pod", [shm, group]],
      ["mounts"],
      ["stat", "/run/group"],
      ["release", "pod"],
      ["mounts"],
      ["list", "/run"],
    );
    assert.deepEqual([added, released], ["done", "done"]);
    assert.deepEqual(mounts, {
      "/run/sandbox/shm": "tmpfs rw,nosuid,nodev,noexec,relatime rw,size=64k",
      "/run/group": "tmpfs rw,relatime rw,size=1024k",
    });
    assert.deepEqual(mode, ["02775", 0, 1234]);
    assert.deepEqual([left, names], [{}, ["sandbox"]]);
  });

  test("are shared by those who name them, also at the same time", async () => {
    const [added, first, mounts, second, left] = await obey(
      "",
      ["addTogether", ["a", "b"], [shm, { ...shm, mountPoint: "/run/sandbox/./shm/" }]],
      ["release", "a"],
      ["mounts"],
      ["release", "b"],
      ["mounts"],
    );
    assert.deepEqual([added, first, second], [[null, null], "done", "done"]);
    assert.deepEqual([Object.keys(mounts as object), left], [["/run/sandbox/shm"], {}]);
  });

  test("of which one cannot be are all taken back", async () => {
    const unknown = storage("watchable", "/run/x");
    const local = storage("local", "/run/local", { options: ["mode=0750", "gid=7"] });
    const [refused, mounts, names, again] = await obey(
      "",
      ["add", "a", [shm, local, unknown]],
      ["mounts"],
      ["list", "/run"],
      ["add", "a", [local]],
    );
    assert.equal(
      refused,
      'INVALID_ARGUMENT: storage watchable at "/run/x": Unknown storage driver "watchable"',
    );
    assert.deepEqual([mounts, names, again], [{}, ["sandbox"], "done"]);
  });

  test("that are local folders are emptied, but nothing that a link in them leads to", async () => {
    const local = storage("local", "/run/deep/local", { options: ["mode=0750", "gid=7"] });
    const [, mode, , names, precious] = await obey(
      "mkdir /run/precious && touch /run/precious/file",
      ["add", "a", [local]],
      ["stat", "/run/deep/local"],
      ["release", "a"],
      ["list", "/run/deep"],
      ["list", "/run/precious"],
    );
    assert.deepEqual([mode, names, precious], [["0750", 0, 7], [], ["file"]]);
  });

  test("are mounted below /run only, and through no link", async () => {
    const at = (mountPoint: string) => ["add", "a", [{ ...shm, mountPoint }]] as [string, ...unknown[]];
    const bind = (source: string) =>
      ["add", "a", [storage("bind", "/run/bound", { source, fstype: "bind" })]] as [string, ...unknown[]];
    const points = ["/run", "/", "", "/runX/a", "/run/../mnt", "/run/link/a", "/run/link", "/run/file"];
    const answers = (await obey(
      "ln -s /mnt /run/link && touch /run/file",
      ...points.map(at),
      bind("/run/link"),
      bind("run/file"),
      bind("/proc/self/root"),
      bind("/run/none"),
      ["mounts"],
      ["list", "/mnt"],
    )) as string[];
    const below = (path: string) => `INVALID_ARGUMENT: mount point "${path}" is not a path below /run`;
    assert.deepEqual(answers.slice(0, 5), points.slice(0, 5).map(below));
    assert.match(answers[5] ?? "", /leads through a link/);
    assert.match(answers[6] ?? "", /link/);
    assert.match(answers[7] ?? "", /mount point "\/run\/file" is there, and no folder$/);
    assert.match(answers[8] ?? "", /INVALID_ARGUMENT.*source "\/run\/link" leads through a link$/);
    assert.match(answers[9] ?? "", /source "run\/file" is no absolute path$/);
    assert.match(answers[10] ?? "", /source "\/proc\/self\/root" leads through a link$/);
    assert.match(answers[11] ?? "", /No such file/);
    assert.deepEqual(answers[12], {});
  });

  test("that are described badly are refused", async () => {
    const bad = [
      { ...shm, fstype: "ext4" },
      { ...shm, options: ["fsgid=x"] },
      { ...shm, options: ["size=banana"] },
      { ...shm, driverOptions: ["encryption_key=ephemeral"] },
      storage("bind", "/run/a", { fstype: "ext4", source: "/run" }),
      storage("bind", "/run/a", { fstype: "bind", source: "/run", options: ["size=1"] }),
      storage("blk", "/run/a", { fstype: "ext4", source: "zz" }),
      storage("blk", "/run/a", { fstype: "ext4", source: "0:1" }),
      storage("blk", "/run/a", { fstype: "ext4", source: "/dev/../vda" }),
      storage("blk", "/run/a", { fstype: "ext4" }),
      storage("scsi", "/run/a", { fstype: "ext4", source: "02/00" }),
      storage("nvdimm", "/run/a", { fstype: "ext4", source: "pmem0" }),
      storage("overlayfs", "/run/a", { fstype: "overlay" }),
      storage("overlayfs", "/run/a", { fstype: "overlay", options: ["lowerdir=/run", "upperdir=/run/u"] }),
      storage("overlayfs", "/run/a", { fstype: "overlay", options: ["lowerdir=/etc"] }),
      storage("virtio-fs", "/run/a", { fstype: "9p", source: "tag" }),
      storage("local", "/run/a", { options: ["mode=9"] }),
      storage("local", "/run/a", { options: ["size=9"] }),
    ];
    const answers = await obey("", ...bad.map((one) => ["add", "a", [one]] as [string, ...unknown[]]), [
      "mounts",
    ]);
    const said = answers.slice(0, bad.length) as string[];
    for (const [at, one] of said.entries())
      assert.match(
        one,
        /^(INVALID_ARGUMENT|failed): storage [a-z-]+ at "\/run\/(a|sandbox\/shm)": \S/,
        `${at}: ${one}`,
      );
    assert.deepEqual(answers.at(-1), {});
  });

  test("are binds with the attributes of their options", async () => {
    const file = storage("bind", "/run/some/file", {
      source: "/run/src/file",
      fstype: "bind",
      options: ["ro", "nosuid"],
    });
    const tree = storage("bind", "/run/tree", {
      source: "/run/src",
      fstype: "bind",
      options: ["rbind", "rslave"],
    });
    const [added, mounts, , left, source] = await obey(
      "mkdir /run/src && touch /run/src/file && mkdir /run/src/inner && mount -t tmpfs t /run/src/inner",
      ["add", "a", [file, tree]],
      ["mounts"],
      ["release", "a"],
      ["mounts"],
      ["list", "/run/src"],
    );
    assert.equal(added, "done");
    const found = mounts as Record<string, string>;
    assert.match(found["/run/some/file"] ?? "", /^tmpfs ro,nosuid,/);
    assert.ok(found["/run/tree/inner"]);
    assert.deepEqual([Object.keys(left as object), source], [["/run/src/inner"], ["file", "inner"]]);
  });

  test("are overlays, whose folders to write to are made", async () => {
    const overlay = storage("overlayfs", "/run/merged", {
      fstype: "overlay",
      source: "overlay",
      options: ["lowerdir=/run/a:/run/b", "upperdir=/run/rw/upper", "workdir=/run/rw/work"],
    });
    const [added, merged, , names] = await obey(
      "mkdir /run/a /run/b && touch /run/a/one /run/b/two",
      ["add", "a", [overlay]],
      ["list", "/run/merged"],
      ["release", "a"],
      ["list", "/run"],
    );
    assert.deepEqual([added, merged], ["done", ["one", "two"]]);
    assert.deepEqual(names, ["a", "b", "rw"]);
  });
});

describe("disks", needsDisk, () => {
  test("are storages by their nodes, and give their files to a group", async () => {
    await using image = await plugDisk();
    await using empty = await plugEmptyDisk();
    const read = storage("mmioblk", "/run/image", {
      source: `/dev/${image.name}`,
      fstype: image.fstype,
      options: ["ro"],
    });
    const write = storage("blk", "/run/empty", { source: `/dev/${empty.name}`, fstype: empty.fstype });
    const [added, names, mode, inner, , left] = await obey(
      "",
      ["add", "a", [read, { ...write, fsGroup: { groupId: 4321, groupChangePolicy: 0 } }]],
      ["list", "/run/image"],
      ["stat", "/run/empty"],
      ["stat", "/run/empty/lost+found"],
      ["release", "a"],
      ["mounts"],
    );
    assert.equal(added, "done");
    assert.ok((names as string[]).includes("bin"));
    assert.deepEqual([mode, inner, left], [["02775", 0, 4321], ["02770", 0, 4321], {}]);
  });

  test("are devices with the numbers that they have here", async () => {
    await using disk = await plugEmptyDisk();
    const number = (await readFile(`/sys/class/block/${disk.name}/dev`, "utf8")).trim();
    const device = {
      id: "",
      type: "mmioblk",
      vmPath: `/dev/${disk.name}`,
      containerPath: "/dev/data",
      options: [],
    };
    const entries = [
      { Path: "/dev/data", Type: "b", Major: 8, Minor: 1 },
      { Path: "/dev/other", Type: "c", Major: 8, Minor: 1 },
    ];
    const rules = [
      { Type: "b", Major: 8, Minor: 1 },
      { Type: "c", Major: 8, Minor: 1 },
      { Type: "b", Major: -1, Minor: -1 },
    ];
    const [found, waited, strange, lost, odd] = await obey(
      "",
      ["rewrite", [device], entries, rules],
      ["rewrite", [{ ...device, containerPath: "" }], entries, rules],
      ["rewrite", [{ ...device, type: "vfio-pci" }], entries, rules],
      ["rewrite", [{ ...device, containerPath: "/dev/none" }], entries, rules],
      ["rewrite", [{ ...device, vmPath: "/etc/passwd" }], entries, rules],
    );
    assert.deepEqual(found, { devices: [number, "8:1"], rules: [number, "8:1", "-1:-1"] });
    assert.deepEqual(waited, { devices: ["8:1", "8:1"], rules: ["8:1", "8:1", "-1:-1"] });
    assert.equal(strange, 'INVALID_ARGUMENT: device "/dev/data": Unknown device type "vfio-pci"');
    assert.equal(lost, 'INVALID_ARGUMENT: device "/dev/none": the specification has no such device');
    assert.equal(odd, 'INVALID_ARGUMENT: device "/dev/data": "/etc/passwd" is not the node of a disk');
  });
});

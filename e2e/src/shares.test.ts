import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";
import {
  type ContainerConfig,
  createContainer,
  createPod,
  deleteContainer,
  deletePod,
  type Mount,
  type PodConfig,
  runPod,
  startContainer,
  startPod,
  stopContainer,
  stopPod,
} from "@husk/virtcontainers";
import { needsRoot } from "./support/needs-root.ts";
import { DEMO_ROOTFS } from "./support/places.ts";
import { runScript, tryScript } from "./support/run-script.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const SLEEP = { args: ["sleep", "1000"] };
const READ_ONLY = /Read-only file system/;

describe("what is shared with a pod", needsRoot, () => {
  it("may be a root directory, written to by container and host, or read-only", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const rootFs = await place.copyRootfs();
    const live = { id: "live", rootFs, sharedRootfs: true, cmd: SLEEP };
    const fixed = { ...live, id: "fixed", readonlyRootfs: true };
    await run(place, { containers: [live, fixed] });
    await runScript(
      place,
      "pod",
      "live",
      "echo from the guest > /etc/guest; mkdir /etc/folder; rm /etc/passwd",
    );
    assert.equal(await readFile(join(rootFs, "etc/guest"), "utf8"), "from the guest\n");
    assert.ok(existsSync(join(rootFs, "etc/folder")) && !existsSync(join(rootFs, "etc/passwd")));
    await writeFile(join(rootFs, "etc/host"), "from the host\n");
    assert.equal(await runScript(place, "pod", "live", "cat /etc/host"), "from the host\n");
    assert.equal(await runScript(place, "pod", "fixed", "cat /etc/guest"), "from the guest\n");
    assert.match((await tryScript(place, "pod", "fixed", "touch /etc/x")).stderr, READ_ONLY);
    await deletePod("pod", place.options);
    assert.ok((await readdir(join(rootFs, "etc"))).includes("guest"), "the directory outlives the pod");
  });

  it("are all roots where block devices are forbidden", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const rootFs = await place.copyRootfs();
    const hypervisorConfig = { ...place.hypervisorConfig, disableBlockDeviceUse: true };
    await run(place, { hypervisorConfig, containers: [{ id: "c", rootFs, cmd: SLEEP }] });
    assert.equal(await runScript(place, "pod", "c", "ls /sys/class/block | grep -v ram; touch /here"), "");
    assert.ok(existsSync(join(rootFs, "here")));
    await deletePod("pod", place.options);
  });

  it("are files and directories, volumes, and what the guest makes itself", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const data = await makeData(place);
    const volumes = [{ mountTag: "vol", hostPath: join(place.folder, "volume") }];
    await mkdir(join(place.folder, "volume"));
    const mounts: Mount[] = [
      { source: data, destination: "/srv/inner/data", type: "bind" },
      { source: data, destination: "/ro", type: "bind", readOnly: true },
      { source: join(data, "file"), destination: "/etc/motd", options: ["bind", "ro"] },
      { source: "tmpfs", destination: "/srv", type: "tmpfs", options: ["size=64k", "mode=711"] },
      { source: "vol", destination: "/vol", type: "volume" },
      { source: "vol", destination: "/volro", type: "volume", options: ["ro"] },
    ];
    await run(place, { volumes, containers: [{ id: "c", rootFs: DEMO_ROOTFS, cmd: SLEEP, mounts }] });
    const script = (text: string) => runScript(place, "pod", "c", text);
    const check = async () => {
      assert.equal(await script("cat /srv/inner/data/file /ro/file /etc/motd"), "content\n".repeat(3));
      await script("echo $$ > /srv/inner/data/guest; echo v > /vol/guest");
      assert.equal(await script("cat /volro/guest; stat -c %a /srv"), "v\n711\n");
      for (const path of ["/ro/file", "/etc/motd", "/volro/x"]) {
        assert.match((await tryScript(place, "pod", "c", `echo x > ${path}`)).stderr, READ_ONLY, path);
      }
      const big = await tryScript(place, "pod", "c", "dd if=/dev/zero of=/srv/big bs=4k count=64");
      assert.match(big.stderr, /No space left/);
    };
    await check();
    assert.deepEqual((await readdir(data)).sort(), ["file", "guest"]);
    assert.deepEqual(await readdir(join(place.folder, "volume")), ["guest"]);
    assert.equal(await readFile(join(data, "file"), "utf8"), "content\n");
    await stopPod("pod", place.options);
    await startPod("pod", place.options);
    await check();
    await deletePod("pod", place.options);
    assert.deepEqual((await readdir(data)).sort(), ["file", "guest"]);
  });

  it("can grow while the pod runs, and shrink again", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { options } = place;
    const hypervisorConfig = { ...place.hypervisorConfig, sharedFS: "virtiofs" as const };
    await createPod({ id: "pod", hypervisorConfig }, options);
    await startPod("pod", options);
    const rootFs = await place.copyRootfs();
    const data = await makeData(place);
    const share = join(place.root, "pods/pod/share");
    for (const round of ["one", "two"]) {
      const mounts = [{ source: data, destination: "/data", type: "bind" }];
      await createContainer("pod", { id: "late", rootFs, sharedRootfs: true, cmd: SLEEP, mounts }, options);
      await startContainer("pod", "late", options);
      await runScript(place, "pod", "late", `cat /data/file > /etc/${round}`);
      assert.equal(await readFile(join(rootFs, "etc", round), "utf8"), "content\n");
      assert.deepEqual(await readdir(share), ["late"]);
      await stopContainer("pod", "late", options);
      await deleteContainer("pod", "late", options);
      assert.deepEqual(await readdir(share), []);
    }
    const none = { source: join(data, "none"), destination: "/none", type: "bind" };
    const bad: ContainerConfig = { id: "bad", rootFs, sharedRootfs: true, cmd: SLEEP, mounts: [none] };
    await assert.rejects(createContainer("pod", bad, options), { code: "ERR_MOUNT_SOURCE_MISSING" });
    assert.deepEqual(await readdir(share), []);
    await deletePod("pod", options);
    assert.deepEqual(await readdir(data), ["file"]);
  });

  it("are options of husk run", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const data = await makeData(place);
    const options = [
      "-v",
      `${data}:/data`,
      "-v",
      `${data}/file:/etc/motd:ro`,
      "--tmpfs",
      "/x:size=1m,mode=711",
    ];
    const script =
      "cat /etc/motd; stat -c %a /x; stat -c %t:%T /dev/nothing; echo new > /data/new; touch /etc/motd";
    const root = [
      "--shared-root",
      "--rootfs",
      await place.copyRootfs(),
      "--device",
      "/dev/null:/dev/nothing",
    ];
    const args = ["run", "--rm", ...options, ...root, "--", "sh", "-c", script];
    const { status, stdout, stderr } = await place.husk(args);
    assert.equal(stdout.toString(), "content\n711\n1:3\n");
    assert.equal(status, 1);
    assert.match(stderr, READ_ONLY);
    assert.equal(await readFile(join(data, "new"), "utf8"), "new\n");
  });

  it("cannot be anything in a pod that was created without", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { options } = place;
    await run(place, { containers: [{ id: "c", rootFs: DEMO_ROOTFS, cmd: SLEEP }] });
    const late = { id: "late", rootFs: DEMO_ROOTFS, sharedRootfs: true, cmd: SLEEP };
    await assert.rejects(createContainer("pod", late, options), {
      code: "ERR_NOT_SUPPORTED",
      hint: /hypervisorConfig.sharedFS/,
    });
    await deletePod("pod", options);
  });

  it("comes by 9p only where the guest's kernel has it", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const hypervisorConfig = { ...place.hypervisorConfig, sharedFS: "9p" as const };
    const container = { id: "c", rootFs: await place.copyRootfs(), sharedRootfs: true, cmd: SLEEP };
    await assert.rejects(run(place, { hypervisorConfig, containers: [container] }), {
      code: "ERR_AGENT_REFUSED",
      message: /9p/,
    });
    assert.deepEqual(await readdir(join(place.root, "pods")), []);
  });
});

async function run(place: Workplace, config: Partial<PodConfig>): Promise<void> {
  await runPod({ id: "pod", hypervisorConfig: place.hypervisorConfig, ...config }, place.options);
}

/** A directory with a file. */
async function makeData(place: Workplace): Promise<string> {
  const data = join(place.folder, "data");
  await mkdir(data);
  await writeFile(join(data, "file"), "content\n");
  return data;
}

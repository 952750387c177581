import assert from "node:assert/strict";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe } from "node:test";
import {
  createContainer,
  deleteContainer,
  deletePod,
  enterContainer,
  killContainer,
  type OciSpec,
  type PodConfig,
  processListContainer,
  runPod,
  startContainer,
  startPod,
  statusPod,
  stopContainer,
  stopPod,
} from "@husk/virtcontainers";
import { makeLoopDevice } from "./support/loop-device.ts";
import { needsRoot } from "./support/needs-root.ts";
import { DEMO_ROOTFS } from "./support/places.ts";
import { runScript, tryScript } from "./support/run-script.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const SLEEP = { args: ["sleep", "1000"] };
const PROCESSES = 50;
const PIECE = 20_000;

function podOf(place: Workplace, more: Partial<PodConfig> = {}): PodConfig {
  const { hypervisorConfig } = place;
  const containers = [{ id: "c", rootFs: DEMO_ROOTFS, cmd: SLEEP }];
  return { id: "pod", agentType: "kata", hypervisorConfig, containers, ...more };
}

describe("a pod with the Kata agent", () => {
  it("runs containers that come and go, whose processes are seen, signalled and ended", async ({
    signal,
  }) => {
    await using place = await Workplace.create(signal);
    const { options } = place;
    const hypervisorConfig = { ...place.hypervisorConfig, blockDeviceDriver: "virtio-scsi" } as const;
    const agentConfig = { containerPipeSize: 262_144, debug: true, kernelModules: ["overlay"] };
    await runPod(podOf(place, { hypervisorConfig, agentConfig }), options);
    const words = await runScript(place, "pod", "c", "cat /proc/cmdline");
    assert.match(words, /HUSK_LOG=debug agent\.container_pipe_size=262144/);
    await createContainer(
      "pod",
      { id: "other", rootFs: DEMO_ROOTFS, readonlyRootfs: true, cmd: { ...SLEEP, user: "nobody" } },
      options,
    );
    await startContainer("pod", "other", options);
    assert.match(await runScript(place, "pod", "c", "ps -o user,args"), /nobody\s+sleep 1000/);
    assert.match((await tryScript(place, "pod", "other", "touch /x")).stderr, /Read-only file system/);
    const pids = JSON.parse(
      Buffer.from(await processListContainer("pod", "c", { format: "json" }, options)).toString(),
    );
    assert.equal(pids.length, 1);
    await killContainer("pod", "other", "SIGKILL", false, options);
    await stopContainer("pod", "other", options);
    const ended = (await statusPod("pod", options)).containersStatus.map(({ state, exitCode }) => [
      state,
      exitCode,
    ]);
    assert.deepEqual(ended, [
      ["running", undefined],
      ["stopped", 137],
    ]);
    // Once more, and then with its disk out of the VM.
    await startContainer("pod", "other", options);
    await stopContainer("pod", "other", options);
    await deleteContainer("pod", "other", options);
    await assert.rejects(enterContainer("pod", "c", { args: ["nosuch"] }, options), {
      code: "ERR_PROGRAM_NOT_FOUND",
    });
    await stopPod("pod", options);
    await startPod("pod", options);
    assert.equal(await runScript(place, "pod", "c", "hostname"), "pod\n");
    await deletePod("pod", options);
  });

  it(`carries the streams of ${PROCESSES} processes at once, none of which holds up another`, async ({
    signal,
  }) => {
    await using place = await Workplace.create(signal);
    const { options } = place;
    await runPod(podOf(place), options);
    // One that nobody reads: its output fills what there is on the way, and no more.
    const blocked = await enterContainer("pod", "c", { args: ["yes"] }, { ...options, attach: true });
    const all = Array.from({ length: PROCESSES }, async (_, index) => {
      const word = String(index).padStart(9, "0");
      const args = [
        "sh",
        "-c",
        `yes ${word} | head -c ${PIECE}; yes ${word} | head -c ${PIECE} >&2; exit ${index}`,
      ];
      const { process } = await enterContainer("pod", "c", { args }, { ...options, attach: true });
      const { stdout, stderr } = process.io;
      const both = await Promise.all([text(stdout), text(stderr ?? stdout)]);
      const expected = `${word}\n`.repeat(PIECE / 10);
      assert.ok(
        both.every((one) => one === expected),
        `process ${index}`,
      );
      assert.equal((await process.io.wait()).exitCode, index);
    });
    await Promise.all(all);
    await blocked.process.io.signal(9);
    blocked.process.io.stdout.resume();
    assert.equal((await blocked.process.io.wait()).exitCode, 137);
    await deletePod("pod", options);
  });
});

describe("storage of a pod with the Kata agent", needsRoot, () => {
  it("is shared directories, volumes, disks and networks, also by a specification", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    using loop = await makeLoopDevice(place, "disk", "from the host\n");
    const { options } = place;
    const [data, volume] = [join(place.folder, "data"), join(place.folder, "volume")];
    for (const folder of [data, volume]) {
      await mkdir(folder);
      await writeFile(join(folder, "file"), "of the host\n");
    }
    await chmod(data, 0o777);
    const mounts = [
      { source: data, destination: "/data", type: "bind" },
      { source: "tag", destination: "/volume", type: "volume", readOnly: true },
      { source: "tmpfs", destination: "/scratch", type: "tmpfs", options: ["size=1m"] },
    ];
    const deviceInfos = [{ hostPath: loop.path, containerPath: "/dev/data", fileMode: 0o640, uid: 7 }];
    const plain = { id: "c", rootFs: DEMO_ROOTFS, cmd: SLEEP, mounts, deviceInfos };
    const specified = { id: "spec", rootFs: DEMO_ROOTFS, cmd: SLEEP, ociSpec: specOf(data) };
    const volumes = [{ mountTag: "tag", hostPath: volume }];
    const networkModel = "user";
    await runPod(podOf(place, { volumes, networkModel, containers: [plain, specified] }), options);
    const script = (line: string, id = "c") => runScript(place, "pod", id, line);
    assert.equal(await script("cat /data/file /volume/file"), "of the host\n".repeat(2));
    await script("echo of the guest > /data/new; head -c 14 /dev/data > /data/disk");
    assert.equal(await readFile(join(data, "new"), "utf8"), "of the guest\n");
    assert.equal(await readFile(join(data, "disk"), "utf8"), "from the host\n");
    assert.equal(await script("stat -c '%F %a %u' /dev/data"), "block special file 640 7\n");
    assert.match((await tryScript(place, "pod", "c", "touch /volume/x")).stderr, /Read-only file system/);
    assert.match(
      await script("ip -4 address show eth0; ip route; cat /etc/resolv.conf"),
      /10\.0\.2\.15.*default via 10\.0\.2\.2.*nameserver 10\.0\.2\.3/s,
    );
    const seen = await script(
      "cat /proc/1/uid_map >/dev/null; cat /here/file; echo $WORD; id -u; ulimit -n",
      "spec",
    );
    assert.equal(seen, "of the host\n\n0\n1024\n");
    await script("until grep -q word /here/started; do sleep 0.1; done", "spec");
    assert.equal(await readFile(join(data, "started"), "utf8"), "word 12 77\n");
    await deletePod("pod", options);
  });
});

/** What a runtime's caller would give, with a mount of a directory of the host. */
function specOf(folder: string): OciSpec {
  const script = "echo $WORD $(id -u) $(ulimit -n) > /here/started; exec sleep 1000";
  return {
    ociVersion: "1.1.0",
    process: {
      args: ["/bin/sh", "-c", script],
      env: ["PATH=/bin", "WORD=word"],
      cwd: "/",
      user: { uid: 12, gid: 0 },
      capabilities: {},
      rlimits: [{ type: "RLIMIT_NOFILE", hard: 77, soft: 77 }],
    },
    mounts: [
      { destination: "/proc", type: "proc", source: "proc" },
      { destination: "/here", type: "bind", source: folder, options: ["rbind", "nosuid"] },
    ],
    linux: { namespaces: [{ type: "mount" }, { type: "pid" }], maskedPaths: ["/proc/kcore"] },
  };
}

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { describe } from "node:test";
import {
  type Cmd,
  type ContainerConfig,
  deletePod,
  enterContainer,
  type PodConfig,
  runPod,
  statusPod,
  stopContainer,
} from "@husk/virtcontainers";
import { CollectedOutput } from "./support/collected-output.ts";
import { makeDoomedCall } from "./support/doomed-call.ts";
import { needsRoot } from "./support/needs-root.ts";
import { DEMO_ROOTFS, RESIDENTS } from "./support/places.ts";
import { runScript } from "./support/run-script.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const MIB = 1024 * 1024;
const FLOW_BYTES = 20_000_000;
const PATH = [{ var: "PATH", value: "/bin:/sbin" }];
/** Ends the process when somebody makes the file. */
const WAIT = "while [ ! -e /out/end ]; do sleep 0.1; done";

function container(place: Workplace, id: string, script: string): ContainerConfig {
  return {
    id,
    rootFs: DEMO_ROOTFS,
    cmd: { args: ["sh", "-c", script] },
    mounts: [{ source: place.folder, destination: "/out", type: "bind" }],
  };
}

function podOf({ hypervisorConfig }: Workplace, containers: ContainerConfig[]): PodConfig {
  return {
    id: "pod",
    agentType: "hyperstart",
    proxyType: "ccProxy",
    proxyConfig: { path: join(RESIDENTS, "cc-proxy") },
    shimType: "noopShim",
    hypervisorConfig,
    containers,
  };
}

/** Starts a process, whose streams this process carries. */
async function exec(place: Workplace, args: readonly string[], more: Partial<Cmd> = {}) {
  const cmd = { args: [...args], envs: PATH, ...more };
  const { process } = await enterContainer("pod", "keeper", cmd, { ...place.options, attach: true });
  return process.io;
}

async function digestOf(output: Readable): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of output) hash.update(chunk);
  return hash.digest("hex");
}

/** State and exit code of each container. */
async function statesOf(place: Workplace): Promise<unknown[]> {
  const { containersStatus } = await statusPod("pod", place.options);
  return containersStatus.map(({ id, state, exitCode }) => [id, state, exitCode]);
}

describe("a pod behind cc-proxy, its streams carried by its callers", needsRoot, () => {
  it("runs processes: streams unchanged, signals, sizes, exit codes", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { options } = place;
    await runPod(podOf(place, [container(place, "keeper", "exec sleep 1000")]), options);
    const data = randomBytes(16 * MIB);
    const echo = await exec(place, ["cat"]);
    const echoed = digestOf(echo.stdout);
    echo.stdin.end(data);
    assert.equal(await echoed, createHash("sha256").update(data).digest("hex"));
    assert.deepEqual(await echo.wait(), { exitCode: 0 });
    const both = await exec(place, ["sh", "-c", "echo out; echo err >&2; exit 3"]);
    assert.ok(both.stderr);
    assert.deepEqual(await Promise.all([text(both.stdout), text(both.stderr)]), ["out\n", "err\n"]);
    assert.deepEqual(await both.wait(), { exitCode: 3 });
    const trapped = await exec(place, [
      "sh",
      "-c",
      'trap "exit 5" TERM; echo up; while :; do sleep 0.1; done',
    ]);
    await once(trapped.stdout, "data");
    await trapped.signal(15);
    assert.deepEqual(await trapped.wait(), { exitCode: 5 });
    const script = 'trap "stty size; exit 0" WINCH; echo up; while :; do sleep 0.1; done';
    const terminal = await exec(place, ["sh", "-c", script], { interactive: true });
    const screen = new CollectedOutput(terminal.stdout);
    await screen.waitFor(/up/);
    await terminal.resize(33, 111);
    await screen.waitFor(/33 111/);
    assert.deepEqual(await terminal.wait(), { exitCode: 0 });
    await assert.rejects(exec(place, ["true"], { user: "nobody-here" }), {
      code: "ERR_AGENT_REFUSED",
      message: /^the agent refused EXECCMD: [^:]*nobody-here/,
    });
    await deletePod("pod", options);
  });

  it("serves several callers, of whom any may be killed", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { options } = place;
    const config = podOf(place, [
      container(place, "talker", `yes | head -c 1000000; touch /out/said; ${WAIT}; exit 3`),
      container(place, "keeper", "exec sleep 1000"),
    ]);
    // Whoever has made the pod, and carried its containers, is dead.
    const calls = [
      ["runPod", config],
      ["statusPod", "pod"],
      ["pausePod", "pod"],
    ] as const;
    assert.equal(await makeDoomedCall(place, { calls, dieAt: 0 }), "locked");
    const echo = await exec(place, ["cat"]);
    const echoed = new CollectedOutput(echo.stdout);
    echo.stdin.write("one\n");
    await echoed.waitFor(/one/);
    const other = place.start(["exec", "pod/keeper", "--", "yes"]);
    await other.stdout.waitFor(/y\n/);
    other.child.kill("SIGKILL");
    await other.ended;
    await runScript(place, "pod", "keeper", "while [ ! -e /out/said ]; do sleep 0.1; done");
    echo.stdin.write("two\n");
    await echoed.waitFor(/two/);
    // Its end is heard, though who carried it is gone.
    await writeFile(join(place.folder, "end"), "");
    await runScript(place, "pod", "keeper", "while ps -o args | grep -q '[/]out/said'; do sleep 0.1; done");
    assert.deepEqual(await statesOf(place), [
      ["talker", "stopped", 3],
      ["keeper", "running", undefined],
    ]);
    echo.stdin.end();
    assert.deepEqual(await echo.wait(), { exitCode: 0 });
    await stopContainer("pod", "keeper", options);
    assert.equal((await statesOf(place)).length, 2);
    await deletePod("pod", options);
  });

  it("goes on when its proxy is killed, and comes to its end when that cannot come back", async ({
    signal,
  }) => {
    await using place = await Workplace.create(signal);
    const { options } = place;
    await runPod(podOf(place, [container(place, "keeper", "exec sleep 1000")]), options);
    const echo = await exec(place, ["cat"]);
    const echoed = new CollectedOutput(echo.stdout);
    echo.stdin.write("before\n");
    await echoed.waitFor(/before/);
    const killProxy = async () => {
      const { proxyPid } = await statusPod("pod", options);
      assert.ok(proxyPid);
      process.kill(proxyPid, "SIGKILL");
      return proxyPid;
    };
    const first = await killProxy();
    await runScript(place, "pod", "keeper", "true");
    assert.notEqual((await statusPod("pod", options)).proxyPid, first);
    echo.stdin.write("after\n");
    await echoed.waitFor(/after/);
    echo.stdin.end();
    assert.deepEqual(await echo.wait(), { exitCode: 0 });
    assert.equal(echoed.text(), "before\nafter\n");
    // Of what flows, a proxy loses at most what it had read and not passed on.
    const flow = await exec(place, ["sh", "-c", `yes | head -c ${FLOW_BYTES}; exit 6`]);
    await once(flow.stdout, "readable");
    await killProxy();
    let received = 0;
    for await (const chunk of flow.stdout) received += chunk.length;
    assert.ok(received <= FLOW_BYTES && received > FLOW_BYTES / 2, String(received));
    assert.deepEqual(await flow.wait(), { exitCode: 6 });
    // One that ends while nobody is there to hear it.
    const short = await exec(place, ["sh", "-c", `${WAIT}; exit 4`]);
    await killProxy();
    await writeFile(join(place.folder, "end"), "");
    const { exitCode } = await short.wait();
    assert.ok([4, 255].includes(exitCode), String(exitCode));
    // Now it cannot come back.
    const last = await exec(place, ["cat"]);
    const command = join(place.root, "pods/pod/proxy.json");
    await rename(command, `${command}.away`);
    await killProxy();
    await assert.rejects(last.wait(), { code: "ERR_AGENT_DISCONNECTED" });
    await rename(`${command}.away`, command);
    await deletePod("pod", options);
  });

  it("tells that QEMU was killed, and does not bring its proxy back", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { options } = place;
    await runPod(podOf(place, [container(place, "keeper", "exec sleep 1000")]), options);
    const io = await exec(place, ["cat"]);
    const { hypervisorPid } = await statusPod("pod", options);
    assert.ok(hypervisorPid);
    process.kill(hypervisorPid, "SIGKILL");
    await assert.rejects(io.wait(), { code: "ERR_VM_LOST" });
    const { state, proxyPid } = await statusPod("pod", options);
    assert.deepEqual([state, proxyPid], ["stopped", undefined]);
    await deletePod("pod", options);
  });

  it("undoes a pod whose VM does not come up", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const config = podOf(place, [container(place, "keeper", "true")]);
    process.env.HUSK_BOOT_DEADLINE_MS = "900";
    try {
      await assert.rejects(runPod(config, place.options), { code: "ERR_BOOT_TIMEOUT" });
    } finally {
      delete process.env.HUSK_BOOT_DEADLINE_MS;
    }
    const kernelParams = [
      { key: "init", value: "/none" },
      { key: "rdinit", value: "/none" },
    ];
    const hypervisorConfig = { ...place.hypervisorConfig, kernelParams };
    await assert.rejects(runPod({ ...config, hypervisorConfig }, place.options), { code: "ERR_VM_LOST" });
  });
});

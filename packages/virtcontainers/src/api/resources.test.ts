import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  createContainer,
  createPod,
  deleteContainer,
  enterContainer,
  killContainer,
  pauseContainer,
  pausePod,
  resumeContainer,
  resumePod,
  runPod,
  startContainer,
  startPod,
  statsContainer,
  statsPod,
  statusContainer,
  statusPod,
  stopContainer,
  stopPod,
  updateContainer,
  updatePod,
} from "../index.ts";
import { makeMockBench } from "../testing/mock-pod.ts";
import type { CallOptions, PodConfig } from "../types/index.ts";

const MIB = 1024 * 1024;
/** Half a processor, 64 MiB, 20 processes. */
const SMALL = {
  cpu: { quota: 50_000, period: 100_000 },
  memory: { limit: 64 * MIB },
  pids: { limit: 20 },
};
/** Room for more than this machine may have. */
const ROOMY = { hypervisorConfig: { defaultMaxVCPUs: 8, memSlots: 4 } };

async function sizeOf(options: CallOptions) {
  const { vcpus, memory } = await statusPod("pod", options);
  return { vcpus, memory };
}

async function stateOf(id: string, options: CallOptions) {
  return (await statusContainer("pod", id, options)).state;
}

test("a VM has what its pod's configuration says, and beside it what limited containers may use", async (t) => {
  const { config, container, options } = makeMockBench(t);
  const containers = [container("free"), { ...container("a"), resources: SMALL }];
  const half = { ...container("b"), resources: { cpu: { quota: 80_000 }, memory: { limit: MIB / 2 } } };
  await createPod(config({ ...ROOMY, containers: [...containers, half] }), options);
  assert.deepEqual(await sizeOf(options), { vcpus: 3, memory: 256 + 65 });
  await stopPod("pod", options);
  assert.deepEqual(await sizeOf(options), { vcpus: undefined, memory: undefined });
});

test("a VM has no more processors than it may have; by default, those of the host", async (t) => {
  const { config, container, options } = makeMockBench(t);
  const greedy = { ...container("a"), resources: { cpu: { quota: 100_000_000 } } };
  await createPod(config({ containers: [greedy] }), options);
  assert.equal((await sizeOf(options)).vcpus, Math.max(availableParallelism(), 1));
  const small = { hypervisorConfig: { defaultMaxVCPUs: 2 } };
  await createPod({ ...config({ ...small, containers: [greedy] }), id: "small" }, options);
  assert.equal((await statusPod("small", options)).vcpus, 2);
});

test("an update reaches the container, lets the VM grow, and is there when the pod starts again", async (t) => {
  const { config, options } = makeMockBench(t);
  await runPod(config(ROOMY), options);
  await updateContainer("pod", "a", SMALL, options);
  assert.deepEqual(await sizeOf(options), { vcpus: 2, memory: 384 });
  const { memory, pids } = await statsContainer("pod", "a", options);
  assert.deepEqual([memory.limit, pids.limit], [64 * MIB, 20]);
  // What is left out stays; the VM does not shrink while it runs.
  await updateContainer("pod", "a", { memory: { limit: 32 * MIB } }, options);
  assert.equal((await statsContainer("pod", "a", options)).pids.limit, 20);
  assert.deepEqual(await sizeOf(options), { vcpus: 2, memory: 384 });
  await stopPod("pod", options);
  await updateContainer("pod", "b", { pids: { limit: 7 } }, options);
  await startPod("pod", options);
  assert.deepEqual(await sizeOf(options), { vcpus: 2, memory: 288 });
  const { containers } = await statsPod("pod", options);
  assert.deepEqual([containers.a?.memory.limit, containers.b?.pids.limit], [32 * MIB, 7]);
});

test("a container that is created later lets the VM grow; one that is deleted leaves it", async (t) => {
  const { config, container, options } = makeMockBench(t);
  await runPod(config(ROOMY), options);
  await createContainer("pod", { ...container("c"), resources: SMALL }, options);
  assert.deepEqual(await sizeOf(options), { vcpus: 2, memory: 384 });
  await deleteContainer("pod", "c", options);
  assert.deepEqual(await sizeOf(options), { vcpus: 2, memory: 384 });
  await createContainer("pod", { ...container("d"), resources: SMALL }, options);
  assert.deepEqual(await sizeOf(options), { vcpus: 2, memory: 384 });
});

test("a VM itself is changed", async (t) => {
  const { config, options } = makeMockBench(t);
  await runPod(config(ROOMY), options);
  await updatePod("pod", { memory: 300 }, options);
  assert.deepEqual(await sizeOf(options), { vcpus: 1, memory: 384 });
  await stopPod("pod", options);
  await updatePod("pod", { vcpus: 2 }, options);
  await startPod("pod", options);
  assert.deepEqual(await sizeOf(options), { vcpus: 2, memory: 300 });
  for (const vcpus of [0, 9]) {
    await assert.rejects(updatePod("pod", { vcpus }, options), { code: "ERR_CONFIG_INVALID" });
  }
});

test("a VM that has no room stays as it is, with a warning, and the container gets its limits", async (t) => {
  const { config, options } = makeMockBench(t);
  const full = { hypervisorParams: [{ key: "fail", value: "full" }], defaultMaxVCPUs: 8 };
  await runPod(config({ hypervisorConfig: full }), options);
  const warnings: Error[] = [];
  await updateContainer("pod", "a", SMALL, { ...options, onWarning: (warning) => warnings.push(warning) });
  assert.equal(warnings.length, 2);
  assert.match(String(warnings[0]), /has 1 vCPUs, 256 MiB, and cannot grow to 2 vCPUs, 320 MiB/);
  assert.deepEqual(await sizeOf(options), { vcpus: 1, memory: 256 });
  assert.equal((await statsContainer("pod", "a", options)).memory.limit, 64 * MIB);
});

for (const step of ["hotplugVcpus", "hotplugMemory"]) {
  test(`${step} that fails leaves the pod as it was`, async (t) => {
    const { config, container, options } = makeMockBench(t);
    await runPod(config({}, step), options);
    await assert.rejects(updateContainer("pod", "a", SMALL, options), { code: "ERR_QMP" });
    assert.equal((await statsContainer("pod", "a", options)).memory.limit, undefined);
    const limited = { ...container("c"), resources: SMALL };
    await assert.rejects(createContainer("pod", limited, options), { code: "ERR_QMP" });
    assert.equal((await statusPod("pod", options)).containersStatus.length, 2);
  });
}

test("limits that a caller stored who then died are set by the next call", async (t) => {
  const { config, root, options } = makeMockBench(t);
  await runPod(config(), options);
  const path = join(root, "pods/pod/pod.json");
  const record = JSON.parse(readFileSync(path, "utf8"));
  record.config.containers[0].resources = SMALL;
  writeFileSync(path, JSON.stringify({ ...record, pending: {} }));
  assert.equal((await statsContainer("pod", "a", options)).memory.limit, 64 * MIB);
  assert.equal((await statsContainer("pod", "b", options)).memory.limit, undefined);
});

test("an agent that limits nothing is told by name, before anything is changed", async (t) => {
  const { config, container, options } = makeMockBench(t);
  const hyperstart: Partial<PodConfig> = { agentType: "hyperstart", hypervisorType: "qemu" };
  const limited = { ...container("a"), resources: SMALL };
  const refused = { code: "ERR_NOT_SUPPORTED", hint: /kata/ };
  await assert.rejects(createPod(config({ ...hyperstart, containers: [limited] }), options), refused);
  await assert.rejects(
    createPod(config({ ...hyperstart, containers: [{ ...limited, resources: {} }] }), options),
    {
      code: "ERR_ASSET_MISSING",
    },
  );
});

test("wrong limits are refused by their names", async (t) => {
  const { config, options } = makeMockBench(t);
  await runPod(config(), options);
  const wrong: [object, RegExp][] = [
    [{ cpu: { quota: 0 } }, /^cpu.quota: /],
    [{ cpu: { cpus: "a" } }, /^cpu.cpus: /],
    [{ cpu: { shares: 1 } }, /^cpu.shares: /],
    [{ memory: { limit: 1.5 } }, /^memory.limit: /],
    [{ pids: {} }, /^pids.limit: is missing/],
    [{ blockIO: { weight: 5 } }, /^blockIO.weight: /],
    [{ hugepageLimits: [{ pageSize: "2", limit: 1 }] }, /^hugepageLimits\[0\].pageSize: /],
  ];
  for (const [resources, message] of wrong) {
    await assert.rejects(updateContainer("pod", "a", resources, options), {
      code: "ERR_CONFIG_INVALID",
      message,
    });
  }
  await assert.rejects(updateContainer("pod", "a", { cpus: 2 } as object, options), {
    code: "ERR_CONFIG_UNKNOWN_FIELD",
  });
  await assert.rejects(updateContainer("pod", "x", SMALL, options), { code: "ERR_CONTAINER_NOT_FOUND" });
});

test("a container is paused by itself, stays so with its pod, and goes on", async (t) => {
  const { config, options } = makeMockBench(t);
  await runPod(config(), options);
  await pauseContainer("pod", "a", options);
  const states = async () => [await stateOf("a", options), await stateOf("b", options)];
  assert.deepEqual(await states(), ["paused", "running"]);
  await assert.rejects(pauseContainer("pod", "a", options), { code: "ERR_STATE_INVALID" });
  await assert.rejects(enterContainer("pod", "a", { args: ["true"] }, options), {
    hint: /husk resume pod\/a/,
  });
  await pausePod("pod", options);
  assert.deepEqual(await states(), ["paused", "paused"]);
  await assert.rejects(resumeContainer("pod", "a", options), {
    code: "ERR_STATE_INVALID",
    message: /pod "pod" is paused/,
  });
  await resumePod("pod", options);
  assert.deepEqual(await states(), ["paused", "running"]);
  await resumeContainer("pod", "a", options);
  assert.deepEqual(await states(), ["running", "running"]);
  await assert.rejects(resumeContainer("pod", "a", options), { code: "ERR_STATE_INVALID" });
});

test("a paused container is measured, killed and stopped", async (t) => {
  const { config, options } = makeMockBench(t);
  await runPod(config(), options);
  for (const id of ["a", "b"]) await pauseContainer("pod", id, options);
  assert.deepEqual(Object.keys((await statsPod("pod", options)).containers), ["a", "b"]);
  await stopContainer("pod", "a", options);
  await killContainer("pod", "b", "SIGKILL", false, options);
  assert.equal(await stateOf("b", options), "stopped");
  assert.equal((await statusContainer("pod", "a", options)).exitCode, 143);
  // It begins anew, and not paused.
  await startContainer("pod", "a", options);
  await pausePod("pod", options);
  await resumePod("pod", options);
  assert.equal(await stateOf("a", options), "running");
  await assert.rejects(statsContainer("pod", "b", options), { code: "ERR_STATE_INVALID" });
});

test("what the VM costs the host is told beside what the containers use", async (t) => {
  const { config, options } = makeMockBench(t);
  await runPod(config(), options);
  const { vm } = await statsPod("pod", options);
  // The mock's VM is this very process.
  assert.ok(vm.cpuUs > 0 && vm.rss > MIB, JSON.stringify(vm));
  assert.deepEqual([vm.vcpus, vm.memory], [1, 256 * MIB]);
  await stopPod("pod", options);
  await assert.rejects(statsPod("pod", options), { code: "ERR_STATE_INVALID" });
});

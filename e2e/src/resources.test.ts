import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe } from "node:test";
import {
  type ContainerConfig,
  deletePod,
  type HypervisorConfig,
  runPod,
  startPod,
  statusPod,
  stopPod,
  updatePod,
} from "@husk/virtcontainers";
import { DEMO_ROOTFS } from "./support/places.ts";
import { runScript } from "./support/run-script.ts";
import { tellQemu } from "./support/tell-qemu.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const ROOM: HypervisorConfig = { defaultMaxVCPUs: 3, memSlots: 3 };

/** A running pod `grow` with one container. */
async function startGrow(
  place: Workplace,
  changes: HypervisorConfig = ROOM,
  more: Partial<ContainerConfig> = {},
): Promise<void> {
  const hypervisorConfig = { ...place.hypervisorConfig, ...changes };
  const containers = [{ id: "c", rootFs: DEMO_ROOTFS, cmd: { args: ["sleep", "1000"] }, ...more }];
  await runPod({ id: "grow", hypervisorConfig, containers }, place.options);
}

/** Processors and MiB of memory that a container sees, once it sees so many processors. */
async function readMachine(place: Workplace, vcpus: number): Promise<number[]> {
  // The kernel hears of a processor a little after QEMU has it.
  const wait = `i=0; until [ $(nproc) = ${vcpus} ] || [ $i = 100 ]; do usleep 100000; i=$((i+1)); done`;
  const told = await runScript(place, "grow", "c", `${wait}; nproc; grep MemTotal /proc/meminfo`);
  const [count, memory] = told.split("\n");
  return [Number(count), Math.round(Number(/\d+/.exec(memory ?? "")?.[0]) / 1024)];
}

describe("a VM that runs", () => {
  it("grows by processors and memory, and starts again with them", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { options } = place;
    await startGrow(place);
    const [before = 0, least = 0] = await readMachine(place, 1);
    assert.equal(before, 1);
    await updatePod("grow", { vcpus: 3, memory: 512 }, options);
    const [vcpus, memory = 0] = await readMachine(place, 3);
    assert.equal(vcpus, 3);
    assert.ok(memory - least > 230, `${least} MiB have become ${memory}`);
    const status = await statusPod("grow", options);
    assert.deepEqual([status.vcpus, status.memory], [3, 512]);
    await updatePod("grow", { memory: 600 }, options);
    assert.equal((await statusPod("grow", options)).memory, 640);
    await stopPod("grow", options);
    await startPod("grow", options);
    assert.equal((await readMachine(place, 3))[0], 3);
    assert.equal((await statusPod("grow", options)).memory, 600);
    await deletePod("grow", options);
  });

  it("shares directories also through memory that came later", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { options } = place;
    await startGrow(place, { ...ROOM, sharedFS: "virtiofs" }, { sharedRootfs: true });
    await updatePod("grow", { memory: 384 }, options);
    // The kernel takes the memory that came before that which it began with: from its own memory into the share and back.
    const script = "head -c 33554432 /dev/zero >/big; wc -c </big; cat /big | md5sum; rm /big";
    assert.match(await runScript(place, "grow", "c", script), /^33554432\n58f06dd588d8ffb3beb46ada6309436b /);
    await deletePod("grow", options);
  });

  it("is told as it is when the caller was killed that let it grow", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { options } = place;
    await startGrow(place);
    const cpu = { driver: "max-x86_64-cpu", id: "cpu-1", "socket-id": 0, "core-id": 1, "thread-id": 0 };
    await tellQemu(place, "grow", "device_add", cpu);
    const path = join(place.root, "pods/grow/pod.json");
    const record = JSON.parse(readFileSync(path, "utf8"));
    writeFileSync(path, JSON.stringify({ ...record, pending: {} }));
    assert.equal((await statusPod("grow", options)).vcpus, 2);
    assert.equal((await readMachine(place, 2))[0], 2);
    await deletePod("grow", options);
  });

  it("has no more than it was given room for, and tells so", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { options } = place;
    await startGrow(place, {});
    const warnings: string[] = [];
    await updatePod(
      "grow",
      { vcpus: 2, memory: 512 },
      { ...options, onWarning: ({ message }) => warnings.push(message) },
    );
    assert.match(warnings.join("\n"), /1 virtual CPUs at most.*\n.*no more than 0/);
    assert.deepEqual((await readMachine(place, 1))[0], 1);
    await deletePod("grow", options);
  });
});

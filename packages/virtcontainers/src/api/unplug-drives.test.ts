import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createContainer, deleteContainer, runPod } from "../index.ts";
import { type MockBench, makeMockBench } from "../testing/mock-pod.ts";

/** A running pod with a disk that was there at the start. */
async function runMockPod(t: TestContext, fail?: string) {
  const bench = makeMockBench(t);
  await runPod(bench.config({}, fail), bench.options);
  return bench;
}

/** A container of its own root file system. */
function containerOn({ base, container }: MockBench, id: string, name: string) {
  const rootFs = join(base, name);
  if (!existsSync(rootFs)) {
    mkdirSync(rootFs);
    writeFileSync(join(rootFs, "name"), name);
  }
  return { ...container(id), rootFs };
}

function addressesIn({ root }: MockBench): (string | undefined)[] {
  const record = JSON.parse(readFileSync(join(root, "pods/pod/pod.json"), "utf8"));
  return record.drives.map(({ addr }: { addr?: string }) => addr);
}

test("a disk goes with the last container that uses it, and its address is used again", async (t) => {
  const bench = await runMockPod(t);
  const { options } = bench;
  assert.deepEqual(addressesIn(bench), [undefined]);
  for (const [id, name] of [
    ["c", "one"],
    ["d", "one"],
    ["e", "two"],
  ] as const) {
    await createContainer("pod", containerOn(bench, id, name), options);
  }
  assert.deepEqual(addressesIn(bench), [undefined, "0:0", "0:1"]);
  await deleteContainer("pod", "c", options);
  assert.deepEqual(addressesIn(bench), [undefined, "0:0", "0:1"]);
  await deleteContainer("pod", "d", options);
  assert.deepEqual(addressesIn(bench), [undefined, "0:1"]);
  await createContainer("pod", containerOn(bench, "f", "three"), options);
  assert.deepEqual(addressesIn(bench), [undefined, "0:1", "0:0"]);
});

test("a disk that the guest does not give back stays known, and serves again", async (t) => {
  const bench = await runMockPod(t, "hotplugRemoveDevice");
  await createContainer("pod", containerOn(bench, "c", "one"), bench.options);
  await deleteContainer("pod", "c", bench.options);
  assert.deepEqual(addressesIn(bench), [undefined, "0:0"]);
  await createContainer("pod", containerOn(bench, "d", "one"), bench.options);
  assert.deepEqual(addressesIn(bench), [undefined, "0:0"]);
});

import assert from "node:assert/strict";
import { totalmem } from "node:os";
import { test } from "node:test";
import type { ContainerConfig, LinuxResources } from "../types/index.ts";
import { resourcesOf, setResources } from "./container-resources.ts";
import { vmSizeOf } from "./vm-size.ts";

const MIB = 1024 * 1024;
const hypervisorConfig = { defaultMaxVCPUs: 8 };
const process = { user: { uid: 0, gid: 0 }, args: ["true"], cwd: "/" };

function limited(resources: LinuxResources): ContainerConfig {
  return { id: "c", rootFs: "/r", cmd: { args: ["true"] }, resources };
}

function sizeWith(...containers: ContainerConfig[]): number[] {
  const { vcpus, memory } = vmSizeOf({ id: "p", hypervisorConfig, containers });
  return [vcpus, memory];
}

test("parts of processors are added up before they are rounded up", () => {
  assert.deepEqual(sizeWith(), [1, 256]);
  assert.deepEqual(
    sizeWith(limited({ cpu: { quota: 50_000 } }), limited({ cpu: { quota: 50_000 } })),
    [2, 256],
  );
  assert.deepEqual(sizeWith(limited({ cpu: { quota: 50_001, period: 50_000 } })), [2, 256]);
  assert.deepEqual(sizeWith(limited({ cpu: { quota: 51_000, period: 50_000 } })), [3, 256]);
});

test("no limit is no reason to grow; there is an end to growing", () => {
  assert.deepEqual(sizeWith(limited({ cpu: { quota: -1, shares: 9 }, memory: { limit: -1 } })), [1, 256]);
  const host = Math.floor(totalmem() / MIB);
  assert.deepEqual(sizeWith(limited({ cpu: { quota: 9_000_000 }, memory: { limit: 2 ** 50 } })), [8, host]);
});

test("an OCI specification says instead what its container may use, and is changed", () => {
  const ociSpec = { ociVersion: "1.0.2", process, linux: { resources: { memory: { limit: 64 * MIB } } } };
  const config = { ...limited({}), ociSpec };
  assert.deepEqual(sizeWith(config), [1, 320]);
  const putBack = setResources(config, { memory: { limit: MIB } });
  assert.deepEqual(
    [resourcesOf(config).memory?.limit, ociSpec.linux.resources.memory.limit],
    [MIB, 64 * MIB],
  );
  putBack();
  assert.equal(config.ociSpec, ociSpec);
  assert.deepEqual(resourcesOf({ ...config, ociSpec: { ociVersion: "1.0.2", process } }), {});
});

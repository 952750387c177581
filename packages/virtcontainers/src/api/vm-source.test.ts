import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { HuskError } from "../errors/index.ts";
import {
  createPod,
  listTemplates,
  openVmCache,
  statusPod,
  statusVmCache,
  stopVmCache,
  type VmCache,
} from "../index.ts";
import { type MockBench, makeMockBench } from "../testing/mock-pod.ts";
import type { CreateOptions } from "../types/index.ts";

const factory = { vmCacheNumber: 1 };

/** Creates a pod that is to have a VM that waited, and gets another. */
async function createWithout(bench: MockBench, more: CreateOptions): Promise<HuskError> {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => void warnings.push(warning);
  await createPod(bench.config(), { ...bench.options, ...more, onWarning });
  assert.equal((await statusPod("pod", bench.options)).state, "ready");
  assert.equal(warnings.length, 1);
  const warning = warnings[0] as HuskError;
  assert.match(warning.message, /^pod "pod" gets no VM that waited: /);
  assert.equal(warning.podId, "pod");
  return warning;
}

/** Something that takes connections, and understands nothing. */
async function listenDeaf(context: TestContext, path: string): Promise<void> {
  const server = createServer((socket) => socket.on("error", () => {}).resume());
  await new Promise<void>((resolve) => server.listen(path, resolve));
  context.after(() => server.close());
}

test("without a cache a pod gets a VM of its own, and is told why", async (context) => {
  const bench = makeMockBench(context);
  const { code, message } = await createWithout(bench, { factory });
  assert.equal(code, "ERR_CACHE_UNREACHABLE");
  assert.match(message, /nobody serves VMs at .*cache\.sock: ENOENT/);
});

test("a VM that cannot wait is not asked for", async (context) => {
  const bench = makeMockBench(context);
  mkdirSync(bench.root, { mode: 0o700 });
  await listenDeaf(context, join(bench.root, "cache.sock"));
  const { code, message } = await createWithout(bench, { factory });
  assert.equal(code, "ERR_NOT_SUPPORTED");
  assert.match(message, /its hypervisor knows no templates/);
});

test("a cache of this process is no other object", async (context) => {
  const { config, options } = makeMockBench(context);
  const vmCache = {} as VmCache;
  await assert.rejects(createPod(config(), { ...options, vmCache }), { code: "ERR_CONFIG_INVALID" });
});

test("a cache without VMs, or of VMs that cannot wait, is refused", async (context) => {
  const { config, options } = makeMockBench(context);
  const { containers, ...pod } = config();
  await assert.rejects(openVmCache(pod, {}, options), { code: "ERR_CONFIG_INVALID" });
  await assert.rejects(openVmCache(pod, factory, options), { code: "ERR_NOT_SUPPORTED" });
  const qemu = { id: "pod", agentType: "noop" } as const;
  const kernelPath = options.root ?? "";
  const microvm = { ...qemu, hypervisorConfig: { kernelPath, hypervisorMachineType: "microvm" } } as const;
  await assert.rejects(openVmCache(microvm, factory, options), /a microvm takes no devices/);
  await assert.rejects(openVmCache(qemu, factory, options), /its agent \(noop\) has no port/);
});

test("a cache where nothing can be kept is refused with what to do", async (context) => {
  const { base } = makeMockBench(context);
  const file = join(base, "initramfs");
  // The first bytes of an archive that an initramfs can be.
  writeFileSync(file, "070701");
  const hypervisorConfig = { hypervisorPath: process.execPath, kernelPath: file, imagePath: file };
  const options = { root: join(file, "root"), cache: join(base, "cache") };
  await assert.rejects(openVmCache({ id: "pod", hypervisorConfig }, factory, options), {
    code: "ERR_STORE",
    message: /cannot keep VMs in .*ENOTDIR/,
    hint: /Check owner, mode/,
  });
  const listed = listTemplates({ templatePath: join(file, "templates") }, options);
  await assert.rejects(listed, { code: "ERR_STORE", message: /cannot keep templates in .*ENOTDIR/ });
});

test("who asks where nobody serves is told so", async (context) => {
  const { options, root } = makeMockBench(context);
  await assert.rejects(statusVmCache(factory, options), { code: "ERR_CACHE_UNREACHABLE" });
  mkdirSync(root, { mode: 0o700 });
  const vmCacheEndpoint = join(root, "file");
  writeFileSync(vmCacheEndpoint, "");
  await assert.rejects(stopVmCache({ vmCacheEndpoint }, options), { code: "ERR_CACHE_UNREACHABLE" });
});

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { lockFile } from "../../store/flock.ts";
import { PodDirectory } from "../../store/pod-directory.ts";
import { isProcessAlive } from "../../store/process-identity.ts";
import { needsRoot } from "../../testing/needs-root.ts";
import { makeTempRoot } from "../../testing/temp-root.ts";
import type { HypervisorConfig } from "../../types/index.ts";
import { QemuHypervisor } from "./index.ts";

/** A "QEMU" in a few lines of Node: it serves QMP on the descriptor it inherits, and ends at `quit`. */
const FAKE_QEMU = `#!${process.execPath}
const server = require("node:net").createServer((socket) => {
  socket.on("error", () => {});
  socket.write('{"QMP": {"version": {"qemu": {"micro": 0, "minor": 2, "major": 7}, "package": ""}, "capabilities": []}}\\r\\n');
  socket.on("data", (chunk) => {
    for (const line of chunk.toString().trim().split("\\n")) {
      const { execute, id } = JSON.parse(line);
      if (execute === "quit" && process.env.FAKE_QEMU_HANGS) continue;
      socket.write(JSON.stringify({ return: {}, id }) + "\\r\\n", () => execute === "quit" && process.exit(0));
    }
  });
});
server.listen({ fd: 3 });
`;

function prepare(t: TestContext, program = FAKE_QEMU) {
  const { base, rootFs, cache } = makeTempRoot(t);
  const directory = new PodDirectory(join(base, "pod"));
  mkdirSync(directory.path);
  const [hypervisorPath, imagePath] = [join(base, "qemu"), join(base, "initramfs")];
  writeFileSync(hypervisorPath, program, { mode: 0o755 });
  writeFileSync(imagePath, "070701");
  const config: HypervisorConfig = { hypervisorPath, imagePath, kernelPath: join(rootFs, "hello") };
  const spec = {
    podId: "p",
    uuid: "u",
    vcpus: 1,
    memory: 128,
    config,
    ports: [
      { name: "sh.hyper.channel.0", socket: "control" as const },
      { name: "sh.hyper.channel.1", socket: "stream" as const },
    ],
    drives: [],
    shares: [],
    vfioDevices: [],
    cache,
  };
  return { directory, spec, hypervisor: new QemuHypervisor(config) };
}

test("QEMU starts with its sockets there, holds the VM's lock, and ends by quit", async (t) => {
  const { directory, spec, hypervisor } = prepare(t);
  await hypervisor.createPod(spec);
  const vm = await hypervisor.startPod(directory, {});
  t.after(() => isProcessAlive(vm) && process.kill(vm.pid, "SIGKILL"));
  const socket = connect(directory.socket("control"));
  await new Promise((resolve) => socket.once("connect", resolve));
  socket.destroy();
  await hypervisor.waitPod(directory, {});
  assert.ok(isProcessAlive(vm));
  assert.equal(await lockFile(directory.file("vmLock"), { mode: "shared", wait: false }), undefined);
  const names = readdirSync(directory.path).sort();
  assert.deepEqual(names, ["console.log", "hyper.sock", "qemu.log", "qmp.sock", "tty.sock", "vm.lock"]);
  // Another process's view: it is not the parent, and waits by the lock.
  const other = new QemuHypervisor(spec.config, vm);
  await other.stopPod(directory);
  assert.ok(!isProcessAlive(vm));
  await hypervisor.waitExit(directory, { timeoutMs: 60_000 });
  assert.equal(hypervisor.vm, undefined);
});

test("a QEMU that does not heed quit is killed", async (t) => {
  process.env.FAKE_QEMU_HANGS = "1";
  t.after(() => delete process.env.FAKE_QEMU_HANGS);
  const { directory, spec, hypervisor } = prepare(t);
  await hypervisor.createPod(spec);
  const vm = await hypervisor.startPod(directory, {});
  await hypervisor.waitPod(directory, {});
  // As if it had been found by another caller, with the deadlines of a quick machine.
  await new QemuHypervisor(spec.config, { ...vm, accelerator: "kvm" }).stopPod(directory);
  assert.ok(!isProcessAlive(vm));
});

test("a QEMU that ends at once is told with its own words", async (t) => {
  const { directory, spec, hypervisor } = prepare(t, "#!/bin/sh\necho no such option >&2\nexit 1\n");
  await hypervisor.createPod(spec);
  await hypervisor.startPod(directory, {});
  await assert.rejects(hypervisor.waitPod(directory, {}), {
    code: "ERR_QEMU_START",
    message: /no such option/,
  });
  await hypervisor.stopPod(directory);
});

test("QEMU lives in the network namespace given, with device nodes open", needsRoot, async (t) => {
  const name = `husk-test-${process.pid}-qemu`;
  execFileSync("ip", ["netns", "add", name]);
  t.after(() => execFileSync("ip", ["netns", "delete", name]));
  const { directory, spec, hypervisor } = prepare(t);
  await hypervisor.createPod(spec);
  const netNSPath = `/run/netns/${name}`;
  const backend = { type: "macvtap", path: "/dev/zero", queues: 2 } as const;
  const nics = [{ name: "eth0", mac: "02:00:00:00:00:01", mtu: 1500, backend }];
  const vm = await hypervisor.startPod(directory, { network: { netNSPath, nics, vfioDevices: [] } });
  t.after(() => isProcessAlive(vm) && process.kill(vm.pid, "SIGKILL"));
  await hypervisor.waitPod(directory, {});
  assert.equal(statSync(`/proc/${vm.pid}/ns/net`).ino, statSync(netNSPath).ino);
  const open = [9, 10].map((fd) => readlinkSync(`/proc/${vm.pid}/fd/${fd}`));
  assert.deepEqual(open, ["/dev/zero", "/dev/zero"]);
  assert.match(readFileSync(`/proc/${vm.pid}/cmdline`, "latin1"), /"fds":"9:10"/);
  await hypervisor.stopPod(directory);
});

test("a missing network namespace or device node is told", async (t) => {
  const network = { netNSPath: "/none/at/all", nics: [], vfioDevices: [] };
  const { directory, spec, hypervisor } = prepare(t);
  await hypervisor.createPod(spec);
  await hypervisor.startPod(directory, { network });
  await assert.rejects(hypervisor.waitPod(directory, {}), {
    code: "ERR_NETWORK_NAMESPACE",
    message: /none\/at\/all/,
  });
  const backend = { type: "macvtap", path: "/none/at/all", queues: 1 } as const;
  const nics = [{ name: "eth0", mac: "02:00:00:00:00:01", mtu: 1500, backend }];
  const other = prepare(t);
  await other.hypervisor.createPod(other.spec);
  const started = other.hypervisor.startPod(other.directory, { network: { nics, vfioDevices: [] } });
  await assert.rejects(started, { code: "ERR_NETWORK_LINK" });
});

test("a program whose interpreter is missing is told at the start", async (t) => {
  const { directory, spec, hypervisor } = prepare(t, "#!/none/at/all\n");
  await hypervisor.createPod(spec);
  await assert.rejects(hypervisor.startPod(directory, {}), { code: "ERR_QEMU_MISSING" });
  assert.equal(hypervisor.vm, undefined);
});

test("too little memory and missing files are refused before the start", async (t) => {
  const { spec, hypervisor } = prepare(t);
  await assert.rejects(hypervisor.createPod({ ...spec, memory: 79 }), { code: "ERR_MEMORY_TOO_SMALL" });
  const without = (key: keyof HypervisorConfig) => ({
    ...spec,
    config: { ...spec.config, [key]: "/none/at/all" },
  });
  await assert.rejects(hypervisor.createPod(without("kernelPath")), { code: "ERR_ASSET_MISSING" });
  await assert.rejects(hypervisor.createPod(without("imagePath")), { code: "ERR_ASSET_MISSING" });
  await assert.rejects(hypervisor.createPod(without("firmwarePath")), { code: "ERR_ASSET_MISSING" });
  await assert.rejects(hypervisor.createPod(without("hypervisorPath")), { code: "ERR_QEMU_MISSING" });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Nic, NicBackend } from "../types.ts";
import type { QemuPlan } from "./command-line.ts";
import { inheritedNodes, netdevId, netdevOf, nicArguments, nicDeviceOf } from "./nics.ts";

const plan = { machine: "q35", accelerator: "tcg", vhostNet: false, shares: [], nics: [] } as const;

function nic(backend: NicBackend, name = "eth0", mtu = 1500): Nic {
  return { name, mac: "02:00:00:00:00:01", mtu, backend };
}

/** The arguments of interfaces, JSON taken apart. */
function argumentsOf(nics: readonly Nic[], changes: Partial<QemuPlan> = {}): unknown[] {
  const args = nicArguments({ ...plan, ...changes, nics } as QemuPlan);
  return args.map((arg) => (arg.startsWith("{") ? JSON.parse(arg) : arg));
}

const DEVICE = {
  driver: "virtio-net-pci",
  id: "nic-eth0",
  netdev: "net-eth0",
  mac: "02:00:00:00:00:01",
  status: false,
  romfile: "",
  "disable-legacy": "on",
};
const UNTUNED = { vectors: 0, ioeventfd: false };
const TAP = { type: "tap", id: "net-eth0", ifname: "tap2_husk", script: "no", downscript: "no" };

test("a tap is opened by its name, without a script", () => {
  const nics = [nic({ type: "tap", ifName: "tap2_husk", queues: 1 })];
  assert.deepEqual(argumentsOf(nics), ["-netdev", TAP, "-device", { ...DEVICE, ...UNTUNED }]);
  assert.deepEqual(argumentsOf(nics, { accelerator: "kvm", vhostNet: true }), [
    ...["-netdev", { ...TAP, vhost: true }],
    ...["-device", DEVICE],
  ]);
});

test("several queues have an interrupt each way, and two more", () => {
  const nics = [nic({ type: "tap", ifName: "tap2_husk", queues: 4 })];
  assert.deepEqual(argumentsOf(nics), [
    ...["-netdev", { ...TAP, queues: 4 }],
    ...["-device", { ...DEVICE, mq: true, vectors: 10 }],
  ]);
});

test("a microvm's interface has neither option ROM nor interrupt vectors", () => {
  const nics = [nic({ type: "tap", ifName: "tap2_husk", queues: 2 })];
  const device = {
    driver: "virtio-net-device",
    id: "nic-eth0",
    netdev: "net-eth0",
    mac: DEVICE.mac,
    status: false,
    mq: true,
  };
  assert.deepEqual(argumentsOf(nics, { machine: "microvm" }).at(-1), device);
});

test("the descriptors of device nodes follow those of the shares, in the order of the interfaces", () => {
  const nics = [
    nic({ type: "macvtap", path: "/dev/tap4", queues: 1 }),
    nic({ type: "tap", ifName: "tap2_husk", queues: 2 }, "eth1"),
    nic({ type: "macvtap", path: "/dev/tap9", queues: 2 }, "eth2"),
  ];
  const shares = [{ tag: "a", kind: "9p" }] as const;
  const netdevs = argumentsOf(nics, { shares }).filter((_, index) => index % 4 === 1);
  assert.deepEqual(netdevs, [
    { type: "tap", id: "net-eth0", fds: "10" },
    { ...TAP, id: "net-eth1", queues: 2 },
    { type: "tap", id: "net-eth2", fds: "11:12" },
  ]);
  assert.deepEqual(inheritedNodes(nics), ["/dev/tap4", "/dev/tap9", "/dev/tap9"]);
});

test("a vhost-user interface is reached by its socket", () => {
  const nics = [nic({ type: "vhost-user", socketPath: "/run/a,b.sock" })];
  assert.deepEqual(argumentsOf(nics).slice(0, 4), [
    ...["-chardev", "socket,id=chardev-eth0,path=/run/a,,b.sock"],
    ...["-netdev", { type: "vhost-user", id: "net-eth0", chardev: "chardev-eth0" }],
  ]);
});

test("ports of the host lead into QEMU's own network", () => {
  const portMappings = [
    { hostAddress: "127.0.0.1", hostPort: 8080, containerPort: 80 },
    { protocol: "udp", hostPort: 53, containerPort: 5353 },
  ] as const;
  assert.deepEqual(argumentsOf([nic({ type: "user", portMappings })])[1], {
    type: "user",
    id: "net-eth0",
    hostfwd: [{ str: "tcp:127.0.0.1:8080-:80" }, { str: "udp::53-:5353" }],
  });
});

test("a tap that QEMU gets open is known by its descriptors, moved by the host's kernel or not", () => {
  const tap = nic({ type: "tap", ifName: "tap2_husk", queues: 2 });
  const fds = ["net-eth0-0", "net-eth0-1"];
  const netdev = { type: "tap", id: "net-eth0", fds: "net-eth0-0:net-eth0-1" };
  assert.deepEqual(netdevOf(tap, false, fds), netdev);
  assert.deepEqual(netdevOf(tap, true, fds), { ...netdev, vhost: true });
});

test("an unusual MTU is told, and an address taken", () => {
  const device = nicDeviceOf(nic({ type: "user", portMappings: [] }, "eth0", 9000), plan, "0f/00");
  assert.deepEqual(device, { ...DEVICE, host_mtu: 9000, ...UNTUNED, bus: "slot0" });
});

test("names that QEMU does not allow stay different from each other", () => {
  const ids = ["a_b", "a@b", "a_40_b", "a.b-c"].map(netdevId);
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids) assert.match(id, /^[a-z][A-Za-z0-9._-]*$/);
});

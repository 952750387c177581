import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { serveQmp } from "../../testing/fake-qmp.ts";
import type { NicBackend } from "../types.ts";
import { type NicPlace, plugNic, unplugNic } from "./nic-hotplug.ts";

const options = { timeoutMs: 60_000, unplugMs: 60_000 };
const place: NicPlace = {
  ...({ machine: "q35", accelerator: "tcg", addr: "0f/00" } as const),
  ...{ vhostNet: false, origin: {}, isForeign: false },
};
const tap: NicBackend = { type: "tap", ifName: "tap2_husk", queues: 1 };

function nic(backend: NicBackend) {
  return { name: "eth0", mac: "02:00:00:00:00:01", mtu: 1500, backend };
}

/** A VM that refuses what `refusals` names, in those words. */
async function makeVm(t: TestContext, refusals: Record<string, string> = {}, share = false) {
  const parts = { device: new Set<string>(), netdev: new Set<string>(), chardev: new Set<string>() };
  const heard: string[] = [];
  const notFound = (errorClass: string) => ({ error: { class: errorClass, desc: "not found" } });
  const remove = (names: Set<string>, id: string, errorClass = "DeviceNotFound") =>
    names.delete(id) ? { return: {} } : notFound(errorClass);
  const add = (names: Set<string>, id: string) => {
    names.add(id);
    return { return: {} };
  };
  const answers: Record<string, (id: string) => object> = {
    device_add: (id) => add(parts.device, id),
    device_del: (id) => remove(parts.device, id),
    netdev_add: (id) => add(parts.netdev, id),
    netdev_del: (id) => remove(parts.netdev, id),
    "chardev-add": (id) => add(parts.chardev, id),
    "chardev-remove": (id) => remove(parts.chardev, id, "GenericError"),
    closefd: () => ({ error: { class: "GenericError", desc: "not found" } }),
    "query-chardev": () => ({ return: [...parts.chardev].map((label) => ({ label })) }),
    "query-memdev": () => ({ return: [{ share }] }),
  };
  const qmp = await serveQmp(t, (execute, id, _socket, given) => {
    heard.push(execute);
    const desc = refusals[execute];
    const answer = desc
      ? { error: { class: "GenericError", desc } }
      : (answers[execute]?.(given.id as string) ?? {});
    const line = JSON.stringify({ ...answer, id });
    if (execute !== "device_del" || !("return" in answer)) return line;
    return `${line}\r\n${JSON.stringify({ event: "DEVICE_DELETED", data: { device: given.id, path: "/p" } })}`;
  });
  const names = () => Object.values(parts).flatMap((set) => [...set]);
  return { qmp, parts, heard, names };
}

test("an interface is plugged in with what is behind it, and taken out with it", async (t) => {
  const { qmp, names } = await makeVm(t);
  await plugNic(nic(tap), place, qmp, options);
  assert.deepEqual(names(), ["nic-eth0", "net-eth0"]);
  await unplugNic("eth0", qmp, options);
  assert.deepEqual(names(), []);
  // Once more: an earlier attempt's answer may have been lost.
  await unplugNic("eth0", qmp, options);
});

test("what a killed caller has left of the same interface is taken out first", async (t) => {
  const { qmp, parts, names, heard } = await makeVm(t);
  parts.netdev.add("net-eth0");
  parts.device.add("nic-eth0");
  await plugNic(nic(tap), place, qmp, options);
  assert.deepEqual(names(), ["nic-eth0", "net-eth0"]);
  assert.ok(heard.indexOf("netdev_del") < heard.indexOf("netdev_add"));
});

test("an interface that QEMU refuses leaves nothing, and says why", async (t) => {
  const taken = "Could not set up host forwarding rule 'tcp::80-:80'";
  const user: NicBackend = { type: "user", portMappings: [{ hostPort: 80, containerPort: 80 }] };
  const cases = [
    ["device_add", "no room", "ERR_QMP"],
    ["netdev_add", "could not configure /dev/net/tun (t): Invalid argument", "ERR_NETWORK_LINK"],
    ["netdev_add", taken, "ERR_PORT_IN_USE"],
  ] as const;
  for (const [step, words, code] of cases) {
    const { qmp, names } = await makeVm(t, { [step]: words });
    await assert.rejects(plugNic(nic(user), place, qmp, options), { code });
    assert.deepEqual(names(), []);
  }
});

test("a vhost-user interface needs memory that its program can have", async (t) => {
  const backend: NicBackend = { type: "vhost-user", socketPath: "/s" };
  const { qmp, names } = await makeVm(t, {}, true);
  await plugNic(nic(backend), place, qmp, options);
  assert.deepEqual(names(), ["nic-eth0", "net-eth0", "chardev-eth0"]);
  await unplugNic("eth0", qmp, options);
  assert.deepEqual(names(), []);
  const { qmp: unshared } = await makeVm(t);
  await assert.rejects(plugNic(nic(backend), place, unshared, options), { code: "ERR_NOT_SUPPORTED" });
  const { qmp: lonely, names: left } = await makeVm(t, { device_add: "no" }, true);
  await assert.rejects(plugNic(nic(backend), place, lonely, options), { code: "ERR_QMP" });
  assert.deepEqual(left(), []);
});

test("what QEMU cannot open itself needs a program, and is refused without", async (t) => {
  const cases = [
    [{ type: "macvtap", path: "/dev/tap4", queues: 1 }, place, {}, "ERR_NOT_SUPPORTED"],
    [tap, { ...place, isForeign: true }, {}, "ERR_NOT_SUPPORTED"],
    [tap, { ...place, isForeign: true }, { tapHelperPath: "/no/such/program" }, "ERR_ASSET_MISSING"],
    [tap, { ...place, isForeign: true }, { tapHelperPath: "/bin/false" }, "ERR_NETWORK_LINK"],
  ] as const;
  for (const [backend, where, origin, code] of cases) {
    const { qmp, names, heard } = await makeVm(t);
    await assert.rejects(plugNic(nic(backend), { ...where, origin }, qmp, options), { code });
    assert.deepEqual(names(), []);
    assert.ok(!heard.includes("netdev_add"));
  }
});

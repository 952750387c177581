import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Interface, Route } from "@husk/wire/kata";
import type { MessageInit } from "@husk/wire/protobuf";
import { runInside } from "../../test/support/inside.ts";
import { KataSession } from "../../test/support/kata-session.ts";
import { needsStage } from "../../test/support/stage.ts";

const MAC = "02:00:00:00:00:0a";
const PEER_MAC = "02:00:00:00:00:0b";

const ip = (session: KataSession, ...args: string[]) => runInside(session, "ip", ...args);

/** An agent whose network namespace has a pair of interfaces, both down: eth7 and its peer. */
async function startWithPair(): Promise<KataSession> {
  const session = await KataSession.start();
  const peer = ["peer", "name", "peer", "address", PEER_MAC];
  await ip(session, "link", "add", "eth7", "address", MAC, "type", "veth", ...peer);
  return session;
}

const v4 = (address: string, mask = "24") => ({ family: 0, address, mask });
const v6 = (address: string, mask = "64") => ({ family: 1, address, mask });

const update = (session: KataSession, spec: MessageInit<Interface>) =>
  session.call("UpdateInterface", { interface: spec });

const addressesOf = ({ IPAddresses }: Pick<Interface, "IPAddresses">) =>
  IPAddresses.map(({ address, mask }) => `${address}/${mask}`).filter((text) => !text.startsWith("fe80"));

async function find(session: KataSession, name: string): Promise<Interface> {
  const { Interfaces } = await session.call("ListInterfaces", {});
  return Interfaces.find((one) => one.name === name) ?? assert.fail(`no interface ${name}`);
}

describe("UpdateInterface", needsStage, () => {
  it("gives an interface all that it is told, and gives it back as it then is", async () => {
    await using session = await startWithPair();
    const spec = { device: "veth0", name: "eth0", mtu: 1400n, hwAddr: MAC.toUpperCase(), rawFlags: 0x80 };
    const state = await update(session, { ...spec, IPAddresses: [v4("10.1.2.3"), v6("fd00::3")] });
    assert.deepEqual([state.device, state.name, state.mtu, state.hwAddr], ["veth0", "eth0", 1400n, MAC]);
    assert.deepEqual([state.type, (state.rawFlags & 0x81) === 0x81], ["veth", true]);
    assert.deepEqual(addressesOf(state), ["10.1.2.3/24", "fd00::3/64"]);
    assert.deepEqual(addressesOf(await find(session, "eth0")), ["10.1.2.3/24", "fd00::3/64"]);
    assert.match(await ip(session, "link", "show", "eth0"), /NOARP.*UP.* mtu 1400 /);
  });

  it("takes away the addresses that it is not told of", async () => {
    await using session = await startWithPair();
    const spec = { name: "eth0", hwAddr: MAC };
    await update(session, { ...spec, IPAddresses: [v4("10.1.2.3"), v4("10.9.0.1", "16"), v6("fd00::3")] });
    const after = await update(session, {
      ...spec,
      IPAddresses: [v4("10.9.0.1", "16"), v4("10.9.0.2", "16")],
    });
    assert.deepEqual(addressesOf(after), ["10.9.0.1/16", "10.9.0.2/16"]);
    // The first of a network takes the second along, which is wanted.
    const last = await update(session, { ...spec, IPAddresses: [v4("10.9.0.2", "16")] });
    assert.deepEqual(addressesOf(last), ["10.9.0.2/16"]);
    await update(session, { ...spec, IPAddresses: [v4("10.9.0.1", "16"), v4("10.9.0.2", "16")] });
    assert.deepEqual(addressesOf(await update(session, spec)), []);
  });

  it("swaps names, also of one that is up", async () => {
    await using session = await startWithPair();
    await ip(session, "link", "set", "peer", "up");
    await ip(session, "link", "set", "eth7", "up");
    const state = await update(session, { name: "peer", hwAddr: MAC });
    assert.deepEqual([state.name, state.hwAddr], ["peer", MAC]);
    const other = await find(session, "eth7");
    assert.deepEqual([other.hwAddr, other.rawFlags & 1], [PEER_MAC, 1]);
  });

  it("waits for one that is just being plugged in", async () => {
    await using session = await KataSession.start();
    const waiting = update(session, { name: "eth0", hwAddr: MAC, IPAddresses: [v4("10.1.2.3")] });
    await session.health("Check");
    await ip(session, "link", "add", "eth7", "address", MAC, "type", "veth");
    assert.deepEqual(addressesOf(await waiting), ["10.1.2.3/24"]);
  });

  it("says what cannot be done, and of which interface", async () => {
    await using session = await startWithPair();
    const refusal = async (spec: MessageInit<Interface>) =>
      (await session.refuse("UpdateInterface", { interface: { hwAddr: MAC, ...spec } })).message;
    assert.match(await refusal({ hwAddr: "" }), /needs a hwAddr or a devicePath$/);
    assert.match(
      await refusal({ hwAddr: "02:00" }),
      /^network interface "02:00": "02:00" is not a hardware address$/,
    );
    assert.match(await refusal({ hwAddr: "", devicePath: "zz" }), /"zz" is not the address of a disk$/);
    assert.match(await refusal({ name: "a/b" }), /cannot rename it to "a\/b": Invalid argument$/);
    assert.match(await refusal({ mtu: 1n }), /cannot set its MTU to 1: /);
    assert.match(await refusal({ mtu: 2n ** 40n }), /an MTU of 1099511627776 is too large$/);
    assert.match(await refusal({ IPAddresses: [v4("10.0.0.300")] }), /"10.0.0.300" is not an IP address$/);
    assert.match(await refusal({ IPAddresses: [v4("10.0.0.3", "33")] }), /"33" is not a network mask$/);
    assert.match(await refusal({ IPAddresses: Array(300).fill(v4("10.0.0.3")) }), /300 addresses are more/);
    assert.equal((await session.refuse("UpdateInterface", {})).status, "INVALID_ARGUMENT");
  });
});

const route = (dest: string, more: MessageInit<Route> = {}) => ({ dest, device: "eth0", ...more });

async function startWithNetwork(): Promise<KataSession> {
  const session = await startWithPair();
  await ip(session, "link", "set", "peer", "up");
  await update(session, { name: "eth0", hwAddr: MAC, IPAddresses: [v4("10.1.2.3"), v6("fd00::3")] });
  return session;
}

const setRoutes = (session: KataSession, Routes: MessageInit<Route>[]) =>
  session.call("UpdateRoutes", { routes: { Routes } });

const textOf = ({ dest, gateway, device, source }: Route) =>
  [dest || "default", gateway && `via ${gateway}`, device, source && `from ${source}`]
    .filter(Boolean)
    .join(" ");

describe("UpdateRoutes", needsStage, () => {
  it("makes the routes those given, in whatever order, but for the kernel's own", async () => {
    await using session = await startWithNetwork();
    await ip(session, "route", "add", "10.77.0.0/16", "dev", "eth0");
    const wanted = [
      route("", { gateway: "10.5.0.1" }),
      route("10.5.0.0/16", { scope: 253, source: "10.1.2.3", mtu: 1300 }),
      route("", { gateway: "fd00::1", family: 1 }),
      route("10.6.0.0/16", { gateway: "172.16.0.1", flags: 4 }),
    ];
    const { Routes } = await setRoutes(session, wanted);
    const expected = [
      "10.1.2.0/24 eth0 from 10.1.2.3",
      "10.5.0.0/16 eth0 from 10.1.2.3",
      "10.6.0.0/16 via 172.16.0.1 eth0",
      "default via 10.5.0.1 eth0",
      "default via fd00::1 eth0",
      "fd00::/64 eth0",
    ];
    const shown = Routes.map(textOf).filter((text) => !text.startsWith("fe80"));
    assert.deepEqual(shown.sort(), expected);
    assert.equal(Routes.find(({ dest }) => dest === "10.5.0.0/16")?.mtu, 1300);
    assert.equal(Routes.find(({ dest }) => dest === "10.6.0.0/16")?.flags, 4);
    // Once more changes nothing, and what has been told can be told back.
    const again = await setRoutes(session, Routes);
    assert.deepEqual(again.Routes, Routes);
    const left = await setRoutes(session, []);
    const names = left.Routes.map(textOf).filter((text) => !text.startsWith("fe80"));
    assert.deepEqual(names.sort(), ["10.1.2.0/24 eth0 from 10.1.2.3", "fd00::/64 eth0"]);
    assert.deepEqual((await session.call("ListRoutes", {})).Routes, left.Routes);
  });

  it("says which route cannot be", async () => {
    await using session = await startWithNetwork();
    const refusal = async (...Routes: MessageInit<Route>[]) =>
      (await session.refuse("UpdateRoutes", { routes: { Routes } })).message;
    assert.equal(
      await refusal(route("10.5.0.0/16"), route("10.6.0.0/16", { gateway: "172.16.0.1" })),
      "route to 10.6.0.0/16 via 172.16.0.1 dev eth0: Network unreachable (Nexthop has invalid gateway)",
    );
    assert.equal(
      await refusal(route("10.6.0.0/16", { device: "eth9" })),
      'route to 10.6.0.0/16 dev eth9: there is no network interface "eth9"',
    );
    assert.match(await refusal({ dest: "" }), /^route to all: it needs a gateway or a device$/);
    assert.match(await refusal(route("10.0.0.0/8", { gateway: "fd00::1" })), /do not mix$/);
    assert.match(await refusal(route("banana")), /"banana" is not an IP address$/);
    assert.match(await refusal(route("10.0.0.0/8", { scope: 4096 })), /no scope 4096$/);
    assert.match(
      await refusal(...Array(1025).fill(route("10.5.0.0/16"))),
      /^1025 routes are more than 1024$/,
    );
    assert.equal((await session.refuse("UpdateRoutes", {})).status, "INVALID_ARGUMENT");
  });
});

describe("AddARPNeighbors", needsStage, () => {
  it("remembers neighbours, and says which one cannot be", async () => {
    await using session = await startWithNetwork();
    const neighbour = {
      toIPAddress: v4("10.1.2.9"),
      device: "eth0",
      lladdr: "02:00:00:00:00:99",
      state: 0x80,
    };
    const six = { ...neighbour, toIPAddress: v6("fd00::9"), state: 0 };
    await session.call("AddARPNeighbors", { neighbors: { ARPNeighbors: [neighbour, six] } });
    const shown = await ip(session, "neighbour", "show", "nud", "permanent", "dev", "eth0");
    assert.match(shown, /10\.1\.2\.9 lladdr 02:00:00:00:00:99/);
    assert.match(shown, /fd00::9 lladdr 02:00:00:00:00:99/);
    const refusal = async (more: object) =>
      (await session.refuse("AddARPNeighbors", { neighbors: { ARPNeighbors: [{ ...neighbour, ...more }] } }))
        .message;
    assert.match(
      await refusal({ device: "eth9" }),
      /^neighbour "10.1.2.9": there is no network interface "eth9"$/,
    );
    assert.match(await refusal({ lladdr: "x" }), /"x" is not a hardware address$/);
    assert.match(await refusal({ state: -1 }), /there is no state -1/);
    assert.match(await refusal({ toIPAddress: undefined }), /"" is not an IP address$/);
    await session.call("AddARPNeighbors", {});
  });
});

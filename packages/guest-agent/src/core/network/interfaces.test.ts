import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Command } from "@husk/wire/hyperstart";
import { Session } from "../../../test/support/session.ts";
import { OWN_PATH, runOwn } from "../../../test/support/shell.ts";
import { needsStage } from "../../../test/support/stage.ts";

const MAC = "02:00:00:00:00:0a";

/** An agent whose network namespace has a pair of interfaces, both down: eth7 and its peer. */
async function startWithPair(): Promise<Session> {
  const session = await Session.start();
  await session.ask(Command.GETVERSION);
  await runOwn(session, "ip", "link", "add", "eth7", "address", MAC, "type", "veth", "peer", "name", "peer");
  return session;
}

interface Shown {
  ifname: string;
  mtu: number;
  flags: string[];
  /** hardware address */
  address: string;
  addr_info: { family: string; local: string; prefixlen: number; tentative?: boolean }[];
}

async function show(session: Session, name: string): Promise<Shown & { addresses: string[] }> {
  const [link] = JSON.parse(await runOwn(session, "ip", "-json", "address", "show", "dev", name)) as Shown[];
  assert.ok(link);
  const addresses = link.addr_info
    .map(({ local, prefixlen }) => `${local}/${prefixlen}`)
    .filter((address) => !address.startsWith("fe80:"));
  return { ...link, addresses };
}

interface ShownRoute {
  dst: string;
  gateway?: string;
  dev: string;
  prefsrc?: string;
  metric?: number;
}

const routes = async (session: Session, family = "-4") =>
  JSON.parse(await runOwn(session, "ip", "-json", family, "route", "show")) as ShownRoute[];

const ADDRESSES = [
  { ipAddress: "10.1.2.3", netMask: "255.255.255.0" },
  { ipAddress: "10.9.0.1", netMask: "16" },
  { ipAddress: "fd00::3", netMask: "64" },
];

/** What the kernel says of IPv6 on an interface. */
const sysctl = async (session: Session, name: string, key: string) =>
  (await runOwn(session, "cat", `/proc/sys/net/ipv6/conf/${name}/${key}`)).trim();

const raise = (session: Session, name: string) => runOwn(session, "ip", "link", "set", name, "up");

describe("SETUPINTERFACE", needsStage, () => {
  test("gives an interface its name, MTU and addresses of both families, and switches it on", async () => {
    await using session = await startWithPair();
    // An interface that is up cannot be renamed by those who do not know (row 14).
    await runOwn(session, "ip", "link", "set", "eth7", "up");
    const request = { device: "eth7", newDeviceName: "eth0", ipAddresses: ADDRESSES, mtu: 1400 };
    await session.ask(Command.SETUPINTERFACE, request);
    const link = await show(session, "eth0");
    assert.deepEqual([link.mtu, link.flags.includes("UP")], [1400, true]);
    assert.deepEqual(link.addresses, ["10.1.2.3/24", "10.9.0.1/16", "fd00::3/64"]);
    // Once more is no error.
    await session.ask(Command.SETUPINTERFACE, { ...request, device: "eth0" });
    assert.deepEqual((await show(session, "eth0")).addresses.length, 3);
  });

  test("finds it by its hardware address, and takes addresses away", async () => {
    await using session = await startWithPair();
    const byMac = { macAddr: MAC.toUpperCase(), newDeviceName: "net0", ipAddress: "10.1.2.3", netMask: "24" };
    await session.ask(Command.SETUPINTERFACE, byMac);
    assert.deepEqual((await show(session, "net0")).addresses, ["10.1.2.3/24"]);
    const changes = [
      { ipAddress: "-10.1.2.3", netMask: "24" },
      { ipAddress: "", netMask: "" },
      { ipAddress: "10.1.2.4", netMask: "" },
    ];
    // As runv does to change addresses only.
    await session.ask(Command.SETUPINTERFACE, {
      device: "net0",
      newDeviceName: "",
      mtu: 0,
      ipAddresses: changes,
    });
    assert.deepEqual((await show(session, "net0")).addresses, ["10.1.2.4/32"]);
  });

  test("waits for an interface that is just being plugged in", async () => {
    await using session = await Session.start();
    await session.exec(["sh", "-c", "sleep 0.5; ip link add eth7 type veth peer name peer"], OWN_PATH);
    await session.ask(Command.SETUPINTERFACE, { device: "eth7", ipAddresses: ADDRESSES });
    assert.equal((await show(session, "eth7")).addresses.length, 3);
  });

  test("moves another out of the way that has the name only from the kernel", async () => {
    await using session = await startWithPair();
    const peer = (await show(session, "peer")).address;
    await session.ask(Command.SETUPINTERFACE, { macAddr: MAC, newDeviceName: "peer", mtu: 1400 });
    await session.ask(Command.SETUPINTERFACE, { macAddr: peer, newDeviceName: "eth7", mtu: 1300 });
    assert.equal((await show(session, "peer")).mtu, 1400);
    assert.deepEqual(
      [(await show(session, "eth7")).mtu, (await show(session, "eth7")).address],
      [1300, peer],
    );
    // By now both names are the host's own.
    assert.equal(
      await session.refuse(Command.SETUPINTERFACE, { device: "peer", newDeviceName: "eth7" }),
      'network interface "peer": cannot rename it to "eth7": another interface that is set up has this name',
    );
    assert.equal((await show(session, "peer")).flags.includes("UP"), true);
  });

  test("IPv6 is usable at once, and takes nothing from routers", async () => {
    await using session = await startWithPair();
    await raise(session, "peer");
    await session.ask(Command.SETUPINTERFACE, { device: "eth7", ipAddresses: ADDRESSES });
    const { addr_info } = await show(session, "eth7");
    const six = addr_info.filter(({ family }) => family === "inet6");
    assert.deepEqual(
      six.map(({ local, tentative }) => [local, tentative]),
      [
        ["fd00::3", undefined],
        ["fe80::ff:fe00:a", undefined],
      ],
    );
    assert.equal(await sysctl(session, "eth7", "accept_ra"), "0");
    assert.equal(await sysctl(session, "peer", "accept_ra"), "1");
  });

  test("a link-local address of the host's replaces that of the hardware address", async () => {
    await using session = await startWithPair();
    await raise(session, "peer");
    const ipAddresses = [{ ipAddress: "fe80::1", netMask: "64" }];
    await session.ask(Command.SETUPINTERFACE, { device: "eth7", ipAddresses });
    const { addr_info } = await show(session, "eth7");
    assert.deepEqual(
      addr_info.map(({ local }) => local),
      ["fe80::1"],
    );
  });

  test("remembers neighbours of both families", async () => {
    await using session = await startWithPair();
    const neighbors = [
      { ipAddress: "10.1.2.1", macAddr: "02:00:00:00:00:01" },
      { ipAddress: "fd00::1", macAddr: "02-00-00-00-00-0B" },
    ];
    const request = { device: "eth7", newDeviceName: "eth0", ipAddresses: ADDRESSES, neighbors };
    for (let round = 0; round < 2; round++) {
      await session.ask(Command.SETUPINTERFACE, { ...request, device: round === 0 ? "eth7" : "eth0" });
    }
    const text = await runOwn(session, "ip", "-json", "neighbour", "show", "nud", "permanent", "dev", "eth0");
    const found = (JSON.parse(text) as { dst: string; lladdr: string }[]).map(
      ({ dst, lladdr }) => `${dst} ${lladdr}`,
    );
    assert.deepEqual(found.sort(), ["10.1.2.1 02:00:00:00:00:01", "fd00::1 02:00:00:00:00:0b"]);
  });

  test("an interface that never comes is told after its time, and the agent serves others meanwhile", async () => {
    await using session = await startWithPair();
    const cat = await session.exec(["cat"], OWN_PATH);
    let isRefused = false;
    const refusal = session.refuse(Command.SETUPINTERFACE, { device: "eth9" }).finally(() => {
      isRefused = true;
    });
    await cat.write("still here");
    await cat.outputUntil((output) => output === "still here");
    assert.equal(isRefused, false);
    assert.equal(await refusal, 'network interface "eth9": the device did not appear in 10000 ms');
  });

  test("says what cannot be done, and of which interface (row 14)", async () => {
    await using session = await startWithPair();
    for (const [change, text] of [
      [{ newDeviceName: "a/b" }, /cannot rename it to "a\/b": Invalid argument/],
      [{ newDeviceName: "longer-than-15-bytes" }, /cannot rename it to "longer-than-15-bytes": /],
      [{ mtu: 1 }, /cannot set its MTU to 1: Invalid argument \(mtu less than device minimum\)$/],
      [{ ipAddress: "10.0.0.300" }, /: "10.0.0.300" is not an IP address$/],
      [{ ipAddress: "10.0.0.3", netMask: "255.0.255.0" }, /: "255.0.255.0" is not a network mask$/],
      [{ neighbors: [{ ipAddress: "10.0.0.1", macAddr: "02:00" }] }, /: "02:00" is not a hardware address$/],
      [{ neighbors: [{ ipAddress: "host", macAddr: MAC }] }, /: "host" is not an IP address$/],
      [{ ipAddress: "-10.0.0.3", netMask: "8" }, /cannot remove address -10.0.0.3\/8: Address not available/],
    ] as const) {
      assert.match(await session.refuse(Command.SETUPINTERFACE, { device: "eth7", ...change }), text);
    }
    assert.match(await session.refuse(Command.SETUPINTERFACE, {}), /needs a device or a macAddr/);
    assert.match(await session.refuse(Command.DELETEINTERFACE, { device: "eth7" }), /not on the PCI bus$/);
    assert.match(await session.refuse(Command.DELETEINTERFACE, { device: "eth9" }), /no such device$/);
    await session.ping();
  });
});

describe("SETUPROUTE", needsStage, () => {
  test("adds routes of both families", async () => {
    await using session = await startWithPair();
    await session.ask(Command.SETUPINTERFACE, { device: "eth7", ipAddresses: ADDRESSES });
    const wanted = [
      { dest: "default", gateway: "10.1.2.1", device: "eth7" },
      { dest: "192.168.5.0/255.255.255.0", gateway: "10.1.2.2" },
      { dest: "192.168.6.7/24", device: "eth7", src: "10.9.0.1" },
      { dest: "192.168.7.7", device: "eth7" },
      { dest: "all", gateway: "fd00::1", device: "eth7" },
      { dest: "fd01::/16", device: "eth7" },
    ];
    for (let round = 0; round < 2; round++) await session.ask(Command.SETUPROUTE, { routes: wanted });
    const found = (await routes(session)).filter(({ dst }) => !dst.startsWith("10."));
    const text = (route: ShownRoute) =>
      `${route.dst} ${route.gateway ?? route.dev} ${route.prefsrc ?? ""}`.trim();
    assert.deepEqual(found.map(text).sort(), [
      "192.168.5.0/24 10.1.2.2",
      "192.168.6.0/24 eth7 10.9.0.1",
      "192.168.7.7 eth7",
      "default 10.1.2.1",
    ]);
    const six = (await routes(session, "-6")).map(text);
    assert.ok(six.includes("default fd00::1") && six.includes("fd01::/16 eth7"), six.join());
  });

  test("takes them in any order, with metrics, and next hops that no address tells of", async () => {
    await using session = await startWithPair();
    await raise(session, "peer");
    await session.ask(Command.SETUPINTERFACE, { device: "eth7", ipAddresses: ADDRESSES });
    const wanted = [
      { dest: "default", gateway: "172.16.0.1", device: "eth7", metric: 50, onLink: true },
      { dest: "10.7.0.0/16", gateway: "10.200.0.1" },
      { dest: "10.200.0.1", device: "eth7" },
      { dest: "::/0", gateway: "2001:db8::1", device: "eth7", metric: 7, onLink: true },
      { dest: "fd07::/16", gateway: "fd99::1", metric: 9 },
      { dest: "fd99::1", device: "eth7" },
    ];
    for (let round = 0; round < 2; round++) await session.ask(Command.SETUPROUTE, { routes: wanted });
    const found = [...(await routes(session)), ...(await routes(session, "-6"))];
    const text = found.map(({ dst, gateway, metric = 0 }) => `${dst} ${gateway ?? "-"} ${metric}`);
    for (const one of [
      "default 172.16.0.1 50",
      "10.7.0.0/16 10.200.0.1 0",
      "default 2001:db8::1 7",
      "fd07::/16 fd99::1 9",
    ]) {
      assert.equal(text.filter((other) => other === one).length, 1, `${one} in\n${text.join("\n")}`);
    }
  });

  test("one destination may lie behind two interfaces; the first that was told counts", async () => {
    await using session = await startWithPair();
    for (const device of ["eth7", "peer"]) await session.ask(Command.SETUPINTERFACE, { device });
    const dest = ["10.77.0.0/16", "fd77::/16"];
    const wanted = dest.flatMap((dest) => ["peer", "eth7"].map((device) => ({ dest, device })));
    for (let round = 0; round < 2; round++) await session.ask(Command.SETUPROUTE, { routes: wanted });
    for (const [family, address] of [
      ["-4", "10.77.0.1"],
      ["-6", "fd77::1"],
    ] as const) {
      const found = (await routes(session, family)).filter(({ dst }) => dest.includes(dst));
      assert.deepEqual(
        found.map(({ dev }) => dev),
        ["peer", "eth7"],
      );
      assert.match(await runOwn(session, "ip", "route", "get", address), / dev peer /);
    }
  });

  test("takes none, and names the one that cannot be", async () => {
    await using session = await startWithPair();
    for (const nothing of [{}, { routes: [] }, null]) await session.ask(Command.SETUPROUTE, nothing);
    await session.ask(Command.SETUPINTERFACE, { device: "eth7", ipAddresses: ADDRESSES });
    for (const [route, text] of [
      [{ dest: "default", gateway: "172.16.0.1" }, /^route to default via 172.16.0.1: Network unreachable/],
      [
        { dest: "default", device: "eth9" },
        /^route to default dev eth9: there is no network interface "eth9"$/,
      ],
      [{ dest: "fd00::/8", gateway: "10.1.2.1" }, /: IPv4 and IPv6 do not mix$/],
      [{ dest: "10.0.0.0/33" }, /"33" is not a network mask$/],
      [{ gateway: "10.1.2.1" }, /^routes\[0\]\.dest: is missing$/],
    ] as const) {
      assert.match(await session.refuse(Command.SETUPROUTE, { routes: [route] }), text);
    }
  });
});

test("STARTPOD sets interfaces, routes and the loopback up", needsStage, async () => {
  await using session = await startWithPair();
  await session.ask(Command.STARTPOD, {
    hostname: "pod",
    interfaces: [{ macAddr: MAC, newDeviceName: "eth0", ipAddresses: ADDRESSES }],
    routes: [{ dest: "default", gateway: "10.1.2.1", device: "eth0" }],
  });
  assert.equal((await show(session, "eth0")).addresses.length, 3);
  assert.equal((await routes(session))[0]?.gateway, "10.1.2.1");
  assert.deepEqual((await show(session, "lo")).addresses, ["127.0.0.1/8", "::1/128"]);
});

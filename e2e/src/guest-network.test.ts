import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { describe } from "node:test";
import { Command, type InterfaceRequest } from "@husk/wire/hyperstart";
import { DrivenGuest, type GuestHardware } from "./support/driven-guest.ts";
import { DEMO_ROOTFS } from "./support/places.ts";
import { makeTrafficRoot } from "./support/traffic-root.ts";
import { it, LIMIT } from "./support/vm-test.ts";

/** The demo's root file system, which the guest cannot write to. */
const ROOT = { image: "/", tag: "root", readOnly: true };

/** Amount of data, and where the host's side listens; the next one is for the second family. */
const [BYTES, PORT] = [String(1 << 20), 27_410];

const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

const mac = (last: number) => `02:00:00:00:00:0${last}`;

/** A network of QEMU's own, 10.0.N.0/24 and fd0N::/64, in which the guest is .15 and QEMU .2. */
const network = (number: number) => [
  "-netdev",
  `user,id=net${number},net=10.0.${number}.0/24,ipv6-net=fd0${number}::/64,ipv6-host=fd0${number}::2`,
];

const nic = (number: number, more: object = {}) => ({
  ...{ driver: "virtio-net-pci", id: `nic${number}`, netdev: `net${number}`, mac: mac(number) },
  ...{ romfile: "", status: false, ...more },
});

const request = (number: number, name: string): InterfaceRequest => ({
  ...{ macAddr: mac(number), newDeviceName: name, mtu: 1500 },
  ipAddresses: [
    { ipAddress: `10.0.${number}.15`, netMask: "24" },
    { ipAddress: `fd0${number}::15`, netMask: "64" },
  ],
});

const PING = (number: number) =>
  `ping -c 1 -W 60 10.0.${number}.2 > /dev/null && ping6 -c 1 -W 60 fd0${number}::2 > /dev/null && echo reached`;

interface Guest extends AsyncDisposable {
  guest: DrivenGuest;
}

/** Runs `traffic` on the host as a listener; resolves when it listens. */
async function listen(program: string, port: number, verb: string[]) {
  const child = spawn(program, ["listen", String(port), ...verb], {
    stdio: ["ignore", "pipe", "pipe"],
    ...LIMIT,
  });
  const output = buffer(child.stdout);
  await once(child.stderr, "data");
  child.stderr.resume();
  return { output, ended: once(child, "exit") };
}

async function boot(hardware: GuestHardware, signal: AbortSignal): Promise<Guest> {
  const folder = await mkdtemp(join(tmpdir(), "h-"));
  const dispose = () => rm(folder, { recursive: true });
  try {
    const guest = await DrivenGuest.boot(folder, { shares: { root: DEMO_ROOTFS }, ...hardware }, signal);
    return {
      guest,
      [Symbol.asyncDispose]: async () => {
        await guest[Symbol.asyncDispose]();
        await dispose();
      },
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

describe("the network of a guest", () => {
  it("has interfaces by the names that the host gives, and both families at once", async ({ signal }) => {
    const nics = [1, 2].flatMap((number) => [...network(number), "-device", JSON.stringify(nic(number))]);
    await using place = await boot({ more: nics }, signal);
    const { guest } = place;
    await guest.ask(Command.GETVERSION);
    await guest.ask(Command.STARTPOD, { hostname: "pod", dns: ["10.0.1.3"], dnsSearch: ["example.org"] });
    // The kernel has named them the other way round.
    await guest.ask(Command.SETUPINTERFACE, request(1, "eth1"));
    await guest.ask(Command.SETUPINTERFACE, {
      ...request(2, "eth0"),
      neighbors: [{ ipAddress: "10.0.2.77", macAddr: mac(7) }],
    });
    await guest.ask(Command.SETUPROUTE, {
      routes: [
        { dest: "default", gateway: "10.0.1.2", device: "eth1", metric: 5 },
        { dest: "::/0", gateway: "fd01::2", device: "eth1" },
      ],
    });
    const script = `${PING(1)}; ${PING(2)}; cat /etc/resolv.conf; ip neigh show nud permanent; ip route; cat /sys/class/net/eth0/address`;
    const { text } = await guest.run("c", script, ROOT);
    assert.match(text, /^reached\nreached\nnameserver 10\.0\.1\.3\nsearch example\.org\n/);
    assert.match(text, /10\.0\.2\.77 dev eth0 lladdr 02:00:00:00:00:07/);
    assert.match(text, /default via 10\.0\.1\.2 dev eth1 +metric 5/);
    assert.match(text, /02:00:00:00:00:02\n$/);
    await guest.powerOff();
  });

  it("carries data unchanged, both ways, by both families", async ({ signal }) => {
    const folder = await mkdtemp(join(tmpdir(), "h-"));
    await using _ = { [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
    const { path, program } = await makeTrafficRoot(folder);
    const more = [...network(1), "-device", JSON.stringify(nic(1))];
    await using place = await boot({ more, shares: { root: path } }, signal);
    const { guest } = place;
    await guest.ask(Command.GETVERSION);
    await guest.ask(Command.STARTPOD, { hostname: "pod" });
    await guest.ask(Command.SETUPINTERFACE, request(1, "eth0"));
    const expected = digest(execFileSync(program, ["write", BYTES], { maxBuffer: 2 * Number(BYTES) }));
    for (const [at, host] of ["10.0.1.2", "fd01::2"].entries()) {
      // QEMU's own address is the host's loopback.
      const connect = `traffic connect ${host} ${PORT + at}`;
      const receiver = await listen(program, PORT + at, ["receive", "-"]);
      const sent = await guest.run("c", `${connect} send ${BYTES}`, ROOT);
      assert.match(sent.text, new RegExp(`^${BYTES} bytes in `));
      assert.equal(digest(await receiver.output), expected);
      await receiver.ended;

      const sender = await listen(program, PORT + at, ["send", BYTES]);
      const received = await guest.run("c", `${connect} receive - | sha256sum`, ROOT);
      assert.ok(received.text.startsWith(expected), received.text);
      await sender.ended;
    }
    await guest.powerOff();
  });

  it("gets an interface while it runs, gives it back, and gets another of that name", async ({ signal }) => {
    const more = [...network(1), "-device", "pcie-root-port,id=port1,chassis=1"];
    await using place = await boot({ more }, signal);
    const { guest } = place;
    await guest.ask(Command.GETVERSION);
    await guest.ask(Command.STARTPOD, { hostname: "pod" });
    const setUp = async () => {
      await guest.monitor("device_add", nic(1, { bus: "port1" }));
      await guest.ask(Command.SETUPINTERFACE, request(1, "eth0"));
      await guest.ask(Command.SETUPROUTE, { routes: [{ dest: "default", gateway: "10.0.1.2" }] });
    };
    await setUp();
    assert.equal((await guest.run("a", `${PING(1)}; ip route`, ROOT)).text.split("\n")[0], "reached");
    // The guest's kernel does its part by itself: name, addresses and routes go.
    await guest.monitor("device_del", { id: "nic1" }, "DEVICE_DELETED");
    assert.equal((await guest.run("b", "ip -o link | wc -l; ip route", ROOT)).text, "1\n");
    await setUp();
    assert.equal((await guest.run("c", PING(1), ROOT)).text, "reached\n");
    await guest.powerOff();
  });

  it("is IPv4 alone with a kernel that has no IPv6, and says so", async ({ signal }) => {
    const more = [...network(1), "-device", JSON.stringify(nic(1))];
    await using place = await boot({ more, kernelWords: "ipv6.disable=1" }, signal);
    const { guest } = place;
    await guest.ask(Command.GETVERSION);
    const lists = { internalNetworks: ["10.0.1.0/24"], externalNetworks: ["10.9.0.0/16"] };
    await guest.ask(Command.STARTPOD, { hostname: "pod", portmappingWhiteLists: lists });
    await assert.rejects(
      guest.ask(Command.SETUPINTERFACE, request(1, "eth0")),
      /^Error: network interface "02:00:00:00:00:01": cannot add address fd01::15\/64: this kernel has no IPv6$/,
    );
    await guest.ask(Command.SETUPINTERFACE, {
      ...request(1, "eth0"),
      ipAddresses: [{ ipAddress: "10.0.1.15", netMask: "24" }],
    });
    const route = { dest: "::/0", gateway: "fd01::2", device: "eth0" };
    await assert.rejects(
      guest.ask(Command.SETUPROUTE, { routes: [route] }),
      /^Error: route to ::\/0 via fd01::2 dev eth0: this kernel has no IPv6$/,
    );
    const { text } = await guest.run("c", "ping -c 1 -W 60 10.0.1.2 > /dev/null && echo reached", ROOT);
    assert.equal(text, "reached\n");
    await guest.powerOff();
  });
});

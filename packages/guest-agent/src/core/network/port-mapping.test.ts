import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Command } from "@husk/wire/hyperstart";
import { describeContainer, startContainer, useDisk } from "../../../test/support/containers.ts";
import { needsDisk } from "../../../test/support/disk.ts";
import { Session } from "../../../test/support/session.ts";
import { OWN_PATH, runOwn } from "../../../test/support/shell.ts";

useDisk();

/** Says its name to whoever connects. */
const SERVER = (port: number, host: string) =>
  `require("net").createServer((s) => s.end("port ${port}")).listen(${port}, "${host}", () => console.log("up"))`;

/** Connects and gives what the other says; a packet that is dropped is a timeout. */
const CLIENT = (address: string, port: number) =>
  `const s = require("net").connect(${port}, "${address}");` +
  `s.on("data", (d) => process.stdout.write(d)); s.on("end", () => process.exit(0));` +
  `s.on("error", (e) => { console.log(e.code); process.exit(0); });` +
  `setTimeout(() => { console.log("silence"); process.exit(0); }, 400)`;

/** A pod whose network namespace is joined to two others, "internal" and "external", by one cable each. */
class Neighbours {
  readonly session: Session;
  readonly #pids = new Map<string, string>();

  private constructor(session: Session) {
    this.session = session;
  }

  static async start(): Promise<Neighbours> {
    const session = await Session.start();
    const neighbours = new Neighbours(session);
    await session.ask(Command.GETVERSION);
    await runOwn(session, "ip", "link", "set", "lo", "up");
    for (const [at, name] of ["internal", "external"].entries()) await neighbours.#add(name, at + 1);
    return neighbours;
  }

  async #add(name: string, net: number): Promise<void> {
    const { session } = this;
    const neighbour = await session.exec(
      ["unshare", "--net", "sh", "-c", "echo $$; exec sleep 1000"],
      OWN_PATH,
    );
    await neighbour.outputUntil((output) => output.endsWith("\n"));
    const pid = neighbour.outputSoFar.trim();
    this.#pids.set(name, pid);
    const [here, there] = [`eth${net}`, `peer${net}`];
    await runOwn(session, "ip", "link", "add", here, "type", "veth", "peer", "name", there, "netns", pid);
    const ipAddresses = [
      { ipAddress: `10.0.${net}.1`, netMask: "24" },
      { ipAddress: `fd00:${net}::1`, netMask: "64" },
    ];
    await session.ask(Command.SETUPINTERFACE, { device: here, ipAddresses });
    await this.at(name, "ip", "address", "add", `10.0.${net}.2/24`, "dev", there);
    await this.at(name, "ip", "address", "add", `fd00:${net}::2/64`, "dev", there, "nodad");
    await this.at(name, "ip", "link", "set", there, "up");
  }

  /** Runs a program at a neighbour's. */
  at(name: string, ...args: string[]): Promise<string> {
    return runOwn(this.session, "nsenter", "--net", "--target", this.#pids.get(name) as string, ...args);
  }

  /** Serves a port in the pod. */
  async serve(port: number, host = "0.0.0.0"): Promise<void> {
    const server = await this.session.exec([process.execPath, "-e", SERVER(port, host)], OWN_PATH);
    await server.outputUntil((output) => output.includes("up"));
  }

  /** What a neighbour hears from a port of the pod. */
  async hear(name: "internal" | "external", port: number, six = false): Promise<string> {
    const net = name === "internal" ? 1 : 2;
    const address = six ? `fd00:${net}::1` : `10.0.${net}.1`;
    return (await this.at(name, process.execPath, "-e", CLIENT(address, port))).trim();
  }
}

const LISTS = {
  internalNetworks: ["10.0.1.0/24", "fd00:1::/64"],
  externalNetworks: ["10.0.2.0/255.255.255.0", "fd00:2::/64"],
};

const PORTS = [
  { hostPort: 8080, containerPort: 80, protocol: "tcp" },
  { hostPort: 90, containerPort: 90, protocol: "TCP" },
  { hostPort: 0, containerPort: 70, protocol: "tcp" },
];

describe("port mapping", needsDisk, () => {
  test("internal networks reach everything, external ones what is mapped, while the container is there", async () => {
    const net = await Neighbours.start();
    await using session = net.session;
    for (const port of [70, 80, 90]) await net.serve(port);
    await net.serve(80, "::1");
    await session.ask(Command.STARTPOD, { hostname: "pod", portmappingWhiteLists: LISTS });
    assert.deepEqual(await Promise.all([80, 8080].map((port) => net.hear("internal", port))), [
      "port 80",
      "ECONNREFUSED",
    ]);
    assert.equal(await net.hear("external", 80), "silence");
    const container = await startContainer(session, "a", ["sleep", "1000"], { ports: PORTS });
    const heard = await Promise.all([8080, 80, 90, 70, 60].map((port) => net.hear("external", port)));
    assert.deepEqual(heard, ["port 80", "port 80", "port 90", "silence", "silence"]);
    // The other family has the same rules: nothing listens there, but it is not dropped.
    assert.equal(await net.hear("external", 90, true), "ECONNREFUSED");
    assert.equal(await net.hear("external", 70, true), "silence");
    await session.ask(Command.KILLCONTAINER, { container: "a", signal: 9 });
    await container.result();
    await session.refuse(Command.REMOVECONTAINER, { container: "a" });
    assert.equal(await net.hear("external", 8080), "silence");
    assert.equal(await net.hear("external", 90), "silence");
  });

  test("what cannot be a rule fails the command, and leaves nothing", async () => {
    const net = await Neighbours.start();
    await using session = net.session;
    for (const [lists, text] of [
      [{ internalNetworks: ["10.0.0.0/8; reboot"] }, /"8; reboot" is not a network mask/],
      [{ externalNetworks: ["example.org"] }, /"example.org" is not an IP address/],
    ] as const) {
      assert.match(await session.refuse(Command.STARTPOD, { portmappingWhiteLists: lists }), text);
    }
    await net.serve(80);
    // A pod that fails when its filter is there already takes that with it.
    const { request } = describeContainer(session, "bad", ["true"], { fstype: "none" });
    await session.refuse(Command.STARTPOD, { portmappingWhiteLists: LISTS, containers: [request] });
    assert.equal(await net.hear("external", 80), "port 80");
    await session.ask(Command.STARTPOD, { portmappingWhiteLists: LISTS });
    assert.equal(await net.hear("external", 80), "silence");
    const sleep = ["sleep", "1000"];
    const bad = [{ hostPort: 1, containerPort: 80, protocol: "icmp" }];
    await assert.rejects(
      startContainer(session, "a", sleep, { ports: bad }),
      /protocol "icmp" is not tcp, udp or sctp/,
    );
    await assert.rejects(startContainer(session, "a", sleep, { ports: PORTS, fstype: "none" }), /ERROR|none/);
    assert.equal(await net.hear("external", 8080), "silence");
  });

  test("without networks nothing is filtered", async () => {
    const net = await Neighbours.start();
    await using session = net.session;
    await net.serve(80);
    const none = { internalNetworks: [], externalNetworks: [] };
    await session.ask(Command.STARTPOD, { portmappingWhiteLists: none });
    await startContainer(session, "a", ["sleep", "1000"], { ports: PORTS });
    assert.equal(await net.hear("external", 80), "port 80");
    assert.equal(await net.hear("external", 8080), "ECONNREFUSED");
  });
});

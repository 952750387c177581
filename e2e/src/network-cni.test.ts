import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe } from "node:test";
import {
  checkNetwork,
  createPod,
  deletePod,
  listInterfaces,
  type PodConfig,
  startPod,
  statusPod,
  stopPod,
} from "@husk/virtcontainers";
import { CniMachine, needsPlugins, runIn } from "@husk/virtcontainers/testing/cni-machine";
import { findMade, writeBridgeNetwork } from "./support/cni-networks.ts";
import { carryIn, carryOut, makePayload } from "./support/payload.ts";
import { DEMO_ROOTFS } from "./support/places.ts";
import { runScript } from "./support/run-script.ts";
import { makeTrafficRoot } from "./support/traffic-root.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const POD = "pod";
/** Program for the machine's side of the tests, static like the container's. */
const BUSYBOX = join(DEMO_ROOTFS, "bin/busybox");
const PORTMAP = { type: "portmap", capabilities: { portMappings: true } };
const MIB = 2 ** 20;
/** Serves one page, and says so. */
const SERVE = [
  "sh",
  "-c",
  "mkdir /srv && echo served > /srv/index.html && httpd -h /srv && echo up && sleep 1000",
];

/** The path of the pod's network namespace. */
async function namespaceOf({ options }: Workplace): Promise<string> {
  const { network } = await statusPod(POD, options);
  assert.ok(network?.netNSPath);
  return network.netNSPath;
}

/** Gets a page over HTTP, in the machine's namespace. */
function get(machine: CniMachine, host: string, port: number): string {
  return machine.run(BUSYBOX, "wget", "-q", "-O", "-", `http://${host}:${port}/`);
}

/** Waits until the page is served, by a look from inside. */
async function untilServed(place: Workplace): Promise<void> {
  await runScript(place, POD, "web", "until wget -q -O /dev/null http://127.0.0.1/; do sleep 0.1; done");
}

describe("a pod with CNI networks", needsPlugins, () => {
  it("has two of them, traffic by both families, a published port, and leaves nothing", async (context) => {
    const machine = new CniMachine(context);
    const tuning = { type: "tuning", dataDir: machine.dataDir, mtu: 1400 };
    // Of host ports the plugin (1.1.1) finds fault with what it made itself.
    writeBridgeNetwork(machine, "blue", 71, { more: [PORTMAP, tuning], disableCheck: true });
    writeBridgeNetwork(machine, "green", 72, { ipv6: false });
    await using place = await Workplace.create(context.signal);
    const { options, hypervisorConfig } = place;
    const { path: rootFs, program } = await makeTrafficRoot(place.folder);
    const config: PodConfig = {
      id: POD,
      hypervisorConfig,
      networkModel: "CNI",
      networkConfig: {
        cni: { ...machine.cni, networks: ["blue", "green"] },
        portMappings: [{ hostPort: 8080, containerPort: 80 }],
      },
      containers: [{ id: "web", rootFs, cmd: { args: SERVE } }],
    };
    await createPod(config, options);
    await startPod(POD, options);
    const interfaces = await listInterfaces(POD, options);
    assert.deepEqual(
      interfaces.map(({ name, addresses, mtu, removable }) => ({ name, addresses, mtu, removable })),
      [
        { name: "eth0", addresses: ["10.71.0.2/24", "fd71::2/64"], mtu: 1400, removable: false },
        { name: "eth1", addresses: ["10.72.0.2/24"], mtu: 1500, removable: false },
      ],
    );
    const netNSPath = await namespaceOf(place);
    assert.notDeepEqual(findMade(machine, "blue", "green"), []);

    const script = "ip -o address; ip route; ip -6 route; cat /etc/resolv.conf; cat /sys/class/net/*/address";
    const seen = await runScript(place, POD, "web", script);
    for (const line of [
      /eth0 +inet 10\.71\.0\.2\/24 /,
      /eth0 +inet6 fd71::2\/64 /,
      /eth1 +inet 10\.72\.0\.2\/24 /,
      /^default via 10\.71\.0\.1 dev eth0 *$/m,
      /^default via fd71::1 dev eth0 /m,
      /^nameserver 10\.71\.0\.1\nnameserver 10\.72\.0\.1\nsearch blue\.example green\.example$/m,
      ...interfaces.map(({ mac }) => new RegExp(`^${mac}$`, "m")),
    ])
      assert.match(seen, line);

    const inside = { place, podId: POD, containerId: "web" };
    const outside = { namespace: { path: `/run/netns/${machine.name}` }, program };
    const payload = makePayload(program, 16 * MIB);
    for (const network of ["10.71.0.", "fd71::", "10.72.0."]) {
      await carryOut(inside, outside, `${network}1`, payload);
      await carryIn(inside, outside, `${network}2`, payload);
    }
    await untilServed(place);
    for (const host of ["10.71.0.1", "[fd71::1]"]) assert.equal(get(machine, host, 8080), "served\n");
    await checkNetwork(POD, options);

    runIn(netNSPath, "ip", "address", "flush", "dev", "eth1");
    await assert.rejects(checkNetwork(POD, options), {
      code: "ERR_CNI_PLUGIN",
      message: /the CNI plugin bridge \(CHECK, network green, interface eth1\) failed: /,
    });
    // The plugin knows its masquerading rules only by the addresses.
    runIn(netNSPath, "ip", "address", "add", "10.72.0.2/24", "dev", "eth1");
    await stopPod(POD, options);
    assert.deepEqual(findMade(machine, "blue", "green"), []);
    assert.ok(!readdirSync("/run/netns").includes(netNSPath.slice("/run/netns/".length)));
    assert.deepEqual(await listInterfaces(POD, options), []);

    await startPod(POD, options);
    await checkNetwork(POD, options);
    await carryOut(inside, outside, "fd71::1", payload);
    await untilServed(place);
    assert.equal(get(machine, "10.71.0.1", 8080), "served\n");
    await deletePod(POD, options);
    assert.deepEqual(findMade(machine, "blue", "green"), []);
  });

  for (const interworking of ["tcFilter", "bridged", "macvtap"]) {
    it(`is run, seen, checked and stopped by the command line (${interworking})`, async (context) => {
      const machine = new CniMachine(context);
      writeBridgeNetwork(machine, "blue", 71);
      await using place = await Workplace.create(context.signal);
      const husk = async (...args: string[]) => {
        const { status, stdout, stderr } = await place.husk(args);
        return [status, stdout.toString(), stderr];
      };
      const dirs = ["--cni-conf-dir", machine.confDir, "--cni-bin-dir", machine.binDir];
      const run = ["run", "--rm", "--name", POD, "--network", "cni", ...dirs];
      const running = place.start([...run, "--interworking", interworking, "--", ...SERVE]);
      await running.stdout.waitFor(/up/);
      assert.equal(get(machine, "10.71.0.2", 80), "served\n");
      assert.equal(get(machine, "[fd71::2]", 80), "served\n");
      const [status, table] = await husk("network", "ls", POD);
      assert.equal(status, 0);
      assert.match(
        `${table}`,
        new RegExp(`^eth0 +[0-9a-f:]+ +1500 +veth +${interworking} +10.71.0.2/24, fd71::2/64$`, "m"),
      );
      assert.deepEqual(await husk("network", "check", POD), [0, `${POD}\n`, ""]);
      running.child.kill("SIGTERM");
      assert.equal((await running.ended).status, 143);
      assert.deepEqual(findMade(machine, "blue"), []);
    });
  }
});

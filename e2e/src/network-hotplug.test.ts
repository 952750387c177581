import assert from "node:assert/strict";
import { once } from "node:events";
import { describe } from "node:test";
import {
  addInterface,
  checkNetwork,
  createPod,
  deletePod,
  type PodConfig,
  removeInterface,
  startPod,
} from "@husk/virtcontainers";
import { CniMachine, needsPlugins } from "@husk/virtcontainers/testing/cni-machine";
import { findMade, writeBridgeNetwork } from "./support/cni-networks.ts";
import { spawnIn, TestNetworks, wire } from "./support/network-namespaces.ts";
import { carryIn, carryOut, makePayload } from "./support/payload.ts";
import { DEMO_ROOTFS } from "./support/places.ts";
import { runScript } from "./support/run-script.ts";
import { makeTrafficRoot } from "./support/traffic-root.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const POD = "pod";
const MIB = 2 ** 20;
const SLEEP = ["sleep", "1000"];

function podOf({ hypervisorConfig }: Workplace, rootFs: string, more: Partial<PodConfig>): PodConfig {
  return {
    id: POD,
    hypervisorConfig: { ...hypervisorConfig, defaultBridges: 2 },
    containers: [{ id: "c", rootFs, cmd: { args: SLEEP } }],
    ...more,
  };
}

describe("interfaces of a pod that runs", needsPlugins, () => {
  it("come by CNI and go, many times, while others carry data", async (context) => {
    const machine = new CniMachine(context);
    for (const [name, number] of Object.entries({ blue: 71, green: 72, red: 73 })) {
      writeBridgeNetwork(machine, name, number);
    }
    await using place = await Workplace.create(context.signal);
    const { options } = place;
    const { path, program } = await makeTrafficRoot(place.folder);
    const networkConfig = { cni: { ...machine.cni, networks: ["blue"] } };
    await createPod(podOf(place, path, { networkModel: "CNI", networkConfig }), options);
    await startPod(POD, options);
    const inside = { place, podId: POD, containerId: "c" };
    const outside = { namespace: { path: `/run/netns/${machine.name}` }, program };
    const run = (script: string) => runScript(place, POD, "c", script);
    const before = { made: findMade(machine, "blue", "green", "red"), links: await run("ls /sys/class/net") };

    // It goes on through all that is added and removed.
    const sink = spawnIn(outside.namespace, [program, "listen", "9000", "receive"]);
    await once(sink.stderr, "data");
    const flow = run("dd if=/dev/zero bs=64k 2> /dev/null | traffic connect 10.71.0.1 9000 send - || true");
    const payload = makePayload(program, 4 * MIB);
    for (let round = 0; round < 10; round++) {
      const added = await addInterface(POD, { network: "green" }, options);
      assert.deepEqual(
        [added.name, added.removable, added.interworking, added.addresses.length],
        ["eth1", true, "tcFilter", 2],
      );
      if (round === 0) {
        const [ipv4 = "", ipv6 = ""] = added.addresses.map((address) => address.split("/")[0]);
        assert.match(
          await run("ip -o address show eth1"),
          new RegExp(`inet ${ipv4}/24 .*inet6 ${ipv6}/64 `, "s"),
        );
        for (const gateway of ["10.72.0.1", "fd72::1"]) await carryOut(inside, outside, gateway, payload);
        for (const address of [ipv4, ipv6]) await carryIn(inside, outside, address, payload);
        assert.equal((await addInterface(POD, { network: "red" }, options)).name, "eth2");
        await carryOut(inside, outside, "10.73.0.1", payload);
        await checkNetwork(POD, options);
        await assert.rejects(addInterface(POD, { network: "green" }, options), {
          code: "ERR_NO_DEVICE_SLOT",
        });
        await removeInterface(POD, "eth2", options);
      }
      await removeInterface(POD, "eth1", options);
      assert.equal(await run("ls /sys/class/net"), before.links);
    }
    assert.deepEqual(findMade(machine, "blue", "green", "red"), before.made);
    assert.equal(sink.exitCode, null, "the data stopped");
    sink.kill();
    await flow;
    await carryOut(inside, outside, "fd71::1", payload);

    for (const [request, code] of [
      [{ network: "yellow" }, "ERR_CNI_CONFIG"],
      [{ link: "eth7" }, "ERR_NETWORK_LINK"],
      [{ link: "eth0" }, "ERR_NETWORK_CLASH"],
    ] as const)
      await assert.rejects(addInterface(POD, request, options), { code });
    await assert.rejects(removeInterface(POD, "eth0", options), {
      code: "ERR_NOT_SUPPORTED",
      message: /"eth0" was there when the VM of pod "pod" started/,
    });
    await assert.rejects(removeInterface(POD, "eth1", options), { code: "ERR_NETWORK_LINK" });
    assert.deepEqual(findMade(machine, "blue", "green", "red"), before.made);

    // With one added the pod is deleted.
    await addInterface(POD, { network: "green" }, options);
    await deletePod(POD, options);
    assert.deepEqual(findMade(machine, "blue", "green", "red"), []);
  });

  it("come from links that somebody puts into the namespace, by the command line", async ({ signal }) => {
    await using networks = new TestNetworks();
    const [given, peer] = [networks.add(), networks.add()];
    const connect = (number: number) =>
      wire(
        { namespace: given, name: `eth${number}`, addresses: [`10.8.${number}.2/24`, `fd8${number}::2/64`] },
        { namespace: peer, name: `peer${number}`, addresses: [`10.8.${number}.1/24`, `fd8${number}::1/64`] },
      );
    connect(0);
    await using place = await Workplace.create(signal);
    const husk = async (...args: string[]) => {
      const { status, stdout, stderr } = await place.husk(args);
      return { status, stderr, lines: stdout.toString().split("\n") };
    };
    const reach = (number: number) =>
      `ping -c 1 -W 5 10.8.${number}.1 > /dev/null && ping6 -c 1 -W 5 fd8${number}::1 > /dev/null && echo reached`;
    const options = [
      "--rm",
      "--name",
      POD,
      "--network",
      `ns=${given.path}`,
      "--machine",
      "pc",
      "--slots",
      "1",
    ];
    const running = place.start(["run", ...options, "--", "sh", "-c", `${reach(0)}; sleep 1000`]);
    await running.stdout.waitFor(/reached/);
    const before = given.dump();

    const missing = await husk("network", "add", POD, "--link", "eth1");
    assert.match(missing.stderr, /has no interface "eth1" that a VM could have \[ERR_NETWORK_LINK\]\nhint: /);
    assert.match(
      (await husk("network", "add", POD, "green")).stderr,
      /network model CNM joins no networks by name \[ERR_NOT_SUPPORTED\]\nhint: /,
    );
    for (let round = 0; round < 3; round++) {
      connect(1);
      const filled = given.dump();
      given.ip("route add 10.99.0.0/16 via 10.8.1.1");
      assert.deepEqual(await husk("network", "add", POD, "--link", "eth1"), {
        ...{ status: 0, stderr: "", lines: ["eth1", ""] },
      });
      const inside = await husk(
        "exec",
        POD,
        "--",
        "sh",
        "-c",
        `${reach(1)}; ip route show dev eth1; ${reach(0)}`,
      );
      assert.equal(inside.lines[0], "reached", inside.stderr);
      assert.ok(inside.lines.some((line) => /^10\.99\.0\.0\/16 via 10\.8\.1\.1 /.test(line)));
      assert.equal(inside.lines.at(-2), "reached");
      assert.match(
        (await husk("network", "ls", POD)).lines[2] ?? "",
        /^eth1 .* veth +tcFilter +10\.8\.1\.2\/24, fd81::2\/64$/,
      );
      assert.equal((await husk("network", "check", POD)).status, 0);
      assert.deepEqual((await husk("network", "rm", POD, "eth1")).lines, ["eth1", ""]);
      given.ip("route delete 10.99.0.0/16");
      assert.deepEqual(given.dump(), filled);
      given.ip("link delete dev eth1");
    }
    assert.deepEqual(given.dump(), before);
    assert.match(
      (await husk("network", "rm", POD, "eth0")).stderr,
      /was there when the VM of pod "pod" started.*\[ERR_NOT_SUPPORTED\]\nhint: /,
    );
    await place.husk(["stop", POD]);
    await running.ended;
  });

  it("need a machine that takes them", async ({ signal }) => {
    await using networks = new TestNetworks();
    const given = networks.add();
    given.ip("link add eth0 type veth peer name peer");
    given.ip("link set dev eth0 up");
    given.ip("address add 10.8.0.2/24 dev eth0");
    await using place = await Workplace.create(signal);
    const config = podOf(place, DEMO_ROOTFS, {
      networkModel: "CNM",
      networkConfig: { netNSPath: given.path },
    });
    config.hypervisorConfig = { ...place.hypervisorConfig, hypervisorMachineType: "microvm" };
    await createPod(config, place.options);
    given.ip("link add eth1 type veth peer name peer1");
    given.ip("address add 10.8.1.2/24 dev eth1");
    const before = given.dump();
    await assert.rejects(addInterface(POD, { link: "eth1" }, place.options), { code: "ERR_NOT_SUPPORTED" });
    assert.deepEqual(given.dump(), before);
    await deletePod(POD, place.options);
  });
});

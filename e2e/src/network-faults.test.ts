import assert from "node:assert/strict";
import { describe } from "node:test";
import {
  addInterface,
  checkNetwork,
  createPod,
  deletePod,
  listInterfaces,
  listPod,
  type PodConfig,
  removeInterface,
  startPod,
  statusPod,
  stopPod,
} from "@husk/virtcontainers";
import { CniMachine, needsPlugins } from "@husk/virtcontainers/testing/cni-machine";
import { findMade, writeBridgeNetwork } from "./support/cni-networks.ts";
import { eachPhase, makeDoomedCall } from "./support/doomed-call.ts";
import { DEMO_ROOTFS } from "./support/places.ts";
import { runScript } from "./support/run-script.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const POD = "pod";
const MOCK: Pick<PodConfig, "hypervisorType" | "agentType"> = { hypervisorType: "mock", agentType: "noop" };
const PORTMAP = { type: "portmap", capabilities: { portMappings: true } };
/** Phases before and after which a pod has the same of networks. */
const NOT_OF_NETWORKS = ["locked", "announced", "staged", "recorded", "named", "published"];

function podOf(machine: CniMachine, more: Partial<PodConfig> = {}): PodConfig {
  return {
    id: POD,
    networkModel: "CNI",
    networkConfig: {
      cni: { ...machine.cni, networks: ["blue"] },
      portMappings: [{ hostPort: 8080, containerPort: 80 }],
    },
    ...more,
  };
}

function withVm({ hypervisorConfig }: Workplace): Partial<PodConfig> {
  return {
    hypervisorConfig: { ...hypervisorConfig, defaultBridges: 1 },
    containers: [{ id: "c", rootFs: DEMO_ROOTFS, cmd: { args: ["sleep", "1000"] } }],
  };
}

/** Deletes what callers have left; whoever makes another pod clears what has no name. */
async function clean({ options }: Workplace): Promise<void> {
  await createPod({ id: "other", ...MOCK }, options);
  await deletePod("other", options);
  for (const { id } of await listPod(options)) await deletePod(id, options);
}

/** Lets a plugin kill its caller, for a command, before or after it does its part. */
function makeDeadly(
  machine: CniMachine,
  plugin: string,
  command: "ADD" | "DEL",
  isAfter: boolean,
): () => void {
  const restore = machine.removePlugin(plugin);
  const real = `nsenter --net=/run/netns/${machine.name} -- /usr/lib/cni/${plugin}`;
  const kill = `if [ "$CNI_COMMAND" = ${command} ]; then kill -KILL $PPID; exit 1; fi`;
  machine.writePlugin(plugin, isAfter ? `${real}; ${kill}` : `${kill}; exec ${real}`);
  return () => {
    machine.removePlugin(plugin);
    restore();
  };
}

describe("networks of CNI, when something goes wrong", needsPlugins, () => {
  it("go with a caller that is killed while a plugin runs", async (context) => {
    const machine = new CniMachine(context);
    writeBridgeNetwork(machine, "blue", 71, { more: [PORTMAP] });
    await using place = await Workplace.create(context.signal);
    const create = ["createPod", podOf(machine, MOCK)] as const;
    for (const plugin of ["bridge", "portmap", "host-local"]) {
      for (const isAfter of [false, true]) {
        for (const command of ["ADD", "DEL"] as const) {
          // The caller of the address plugin is another, which dies: on DEL with all that it knew of its rules.
          if (plugin === "host-local" && command === "DEL") continue;
          if (command === "DEL") await createPod(podOf(machine, MOCK), place.options);
          const restore = makeDeadly(machine, plugin, command, isAfter);
          const calls = [command === "ADD" ? create : (["deletePod", POD] as const)];
          const died = await makeDoomedCall(place, { calls }).catch(() => "failed");
          assert.notEqual(died, undefined);
          restore();
          await clean(place);
          assert.deepEqual(findMade(machine, "blue"), [], `${plugin} ${command} ${isAfter}`);
        }
      }
    }
  });

  it("go with a caller that is killed at any step, and with a VM that is killed", async (context) => {
    const machine = new CniMachine(context);
    for (const [name, number] of Object.entries({ blue: 71, green: 72 }))
      writeBridgeNetwork(machine, name, number, { more: [PORTMAP], disableCheck: true });
    await using place = await Workplace.create(context.signal);
    const { options } = place;
    const config = podOf(machine, withVm(place));
    const create = ["createPod", config] as const;
    const created = await eachPhase(
      place,
      [create],
      async (phase) => {
        await clean(place);
        assert.deepEqual(findMade(machine, "blue"), [], `createPod ${phase}`);
      },
      NOT_OF_NETWORKS,
    );
    assert.ok(created.includes("network-joined"), created.join());
    const reached =
      "ping -c 1 -W 5 10.71.0.1 > /dev/null && ping6 -c 1 -W 5 fd71::1 > /dev/null && echo reached";
    await startPod(POD, options);
    assert.equal(await runScript(place, POD, "c", reached), "reached\n");

    const before = findMade(machine, "blue", "green");
    const added = await eachPhase(place, [["addInterface", POD, { network: "green" }]], async (phase) => {
      await checkNetwork(POD, options);
      if ((await listInterfaces(POD, options)).length > 1) await removeInterface(POD, "eth1", options);
      assert.deepEqual(findMade(machine, "blue", "green"), before, `addInterface ${phase}`);
      assert.equal(await runScript(place, POD, "c", "ls /sys/class/net"), "eth0\nlo\n");
    });
    assert.ok(added.includes("interface-plugged"), added.join());
    const removed = await eachPhase(place, [["removeInterface", POD, "eth1"]], async () => {
      await checkNetwork(POD, options);
      if ((await listInterfaces(POD, options)).length === 1)
        await addInterface(POD, { network: "green" }, options);
    });
    assert.ok(removed.includes("announced"), removed.join());
    assert.deepEqual(findMade(machine, "blue", "green"), before);

    await addInterface(POD, { network: "green" }, options);
    for (const repair of [startPod, deletePod]) {
      const { hypervisorPid } = await statusPod(POD, options);
      process.kill(Number(hypervisorPid), "SIGKILL");
      await stopPod(POD, options);
      assert.deepEqual(findMade(machine, "blue", "green"), []);
      await repair(POD, options);
      if (repair === startPod) assert.equal(await runScript(place, POD, "c", reached), "reached\n");
    }
    assert.deepEqual(findMade(machine, "blue", "green"), []);
  });

  it("are left at last when plugins could not be asked at first", async (context) => {
    const machine = new CniMachine(context);
    writeBridgeNetwork(machine, "blue", 71, { more: [PORTMAP] });
    await using place = await Workplace.create(context.signal);
    for (const plugin of ["bridge", "portmap"]) {
      await createPod(podOf(machine, MOCK), place.options);
      const restore = machine.removePlugin(plugin);
      await assert.rejects(deletePod(POD, place.options), { code: "ERR_CNI_PLUGIN_MISSING" });
      assert.equal((await statusPod(POD, place.options)).state, "stopped");
      restore();
      await deletePod(POD, place.options);
      assert.deepEqual(findMade(machine, "blue"), []);
    }
  });

  it("are each pod's own when several processes make pods at the same time", async (context) => {
    const machine = new CniMachine(context);
    writeBridgeNetwork(machine, "blue", 71);
    await using place = await Workplace.create(context.signal);
    const pods = ["one", "two", "three"];
    const networkConfig = { cni: machine.cni };
    await Promise.all(
      pods.map((id) =>
        makeDoomedCall(place, { calls: [["createPod", { ...podOf(machine, MOCK), id, networkConfig }]] }),
      ),
    );
    const leases = machine.leases("blue");
    assert.deepEqual([leases.length, new Set(leases).size], [6, 6]);
    for (const id of pods) await checkNetwork(id, place.options);
    await Promise.all(pods.map((id) => makeDoomedCall(place, { calls: [["deletePod", id]] })));
    assert.deepEqual(findMade(machine, "blue"), []);
  });
});

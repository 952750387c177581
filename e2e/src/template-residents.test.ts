/** Pods with proxies and shims whose VMs begin as copies of a template. */
import assert from "node:assert/strict";
import { describe } from "node:test";
import {
  createPod,
  createTemplate,
  deletePod,
  listPod,
  type PodConfig,
  runPod,
  startPod,
  stopPod,
} from "@husk/virtcontainers";
import { eachPhase } from "./support/doomed-call.ts";
import { TAP_HELPER } from "./support/foreign-vm.ts";
import { findProcesses } from "./support/leaks.ts";
import { needsRoot } from "./support/needs-root.ts";
import { TestNetworks, wire } from "./support/network-namespaces.ts";
import {
  CONTAINER,
  FAMILIES,
  type Family,
  killPart,
  numbers,
  POD,
  readOutput,
  residentPod,
  statusOf,
  whenWritten,
} from "./support/resident-pod.ts";
import { runScript } from "./support/run-script.ts";
import { TemplatePlace } from "./support/template-place.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const COUNT = 200_000;
const WHOLE = numbers(COUNT);
/** Writes numbers, with a pause in which what carries them can be killed. */
const SCRIPT = `seq 0 999; until test -e /tmp/go; do sleep 0.1; done; seq 1000 ${COUNT - 1}; exec sleep 1000`;

function podOf(place: Workplace, family: Family, more: Partial<PodConfig> = {}): PodConfig {
  const hypervisorConfig = { ...place.hypervisorConfig, tapHelperPath: TAP_HELPER, defaultBridges: 2 };
  const cmd = { args: ["sh", "-c", SCRIPT], detach: true };
  return residentPod(place, family, cmd, { hypervisorConfig, ...more });
}

async function runCopy(place: Workplace, family: Family, templates: TemplatePlace): Promise<string[]> {
  const phases: string[] = [];
  const onPhase = ({ name }: { name: string }) => void phases.push(name);
  const config = podOf(place, family);
  await runPod(config, { ...place.options, factory: templates.factory, onPhase });
  return phases;
}

describe("a copy of a template with a proxy and shims", needsRoot, () => {
  for (const family of FAMILIES) {
    it(`works as any, also when its proxy and its shim are killed, with ${family.proxy}`, async ({
      signal,
    }) => {
      await using place = await Workplace.create(signal);
      await using templates = await TemplatePlace.create();
      const phases = await runCopy(place, family, templates);
      assert.ok(phases.includes("template-loaded"), phases.join());
      await whenWritten(place, 1000);
      killPart(await statusOf(place), "proxy");
      killPart(await statusOf(place), "shim");
      assert.equal(await runScript(place, POD, CONTAINER, "hostname; touch /tmp/go"), `${POD}\n`);
      await whenWritten(place, WHOLE.length);
      const output = await readOutput(place);
      // What cc-proxy had read and not delivered is lost with it.
      if (family.agentType === "kata") assert.equal(output, WHOLE);
      else assert.ok(output.endsWith(`${COUNT - 1}\n`));
      await stopPod(POD, place.options);

      const again: string[] = [];
      const onPhase = ({ name }: { name: string }) => void again.push(name);
      await startPod(POD, { ...place.options, factory: templates.factory, onPhase });
      assert.ok(again.includes("template-loaded") && !again.includes("template-built"), again.join());
      assert.equal(await runScript(place, POD, CONTAINER, "hostname"), `${POD}\n`);
      await deletePod(POD, place.options);
    });
  }
});

describe("a caller that is killed while a pod begins as a copy", needsRoot, () => {
  it("leaves nothing of one that is made, and what can be started of one that was stopped", async ({
    signal,
  }) => {
    await using place = await Workplace.create(signal);
    await using templates = await TemplatePlace.create();
    await using networks = new TestNetworks();
    const [inside, outside] = [networks.add(), networks.add()];
    wire(
      { namespace: inside, name: "eth0", addresses: ["10.8.0.2/24"] },
      { namespace: outside, name: "peer0", addresses: ["10.8.0.1/24"] },
    );
    const before = inside.dump();
    const { options } = place;
    const { factory } = templates;
    const network = { networkModel: "CNM", networkConfig: { netNSPath: inside.path } } as const;
    const config = podOf(place, FAMILIES[0], network);
    await createTemplate(config, factory, options);
    const check = async (phase: string) => {
      // The next creation of any pod clears what is left.
      await createPod({ id: "other", hypervisorType: "mock", agentType: "noop" }, options);
      await deletePod("other", options);
      for (const { id } of await listPod(options)) await deletePod(id, options);
      assert.deepEqual(findProcesses(place.root), [], phase);
      assert.deepEqual(inside.dump(), before, phase);
    };
    // What is as after a boot is not tried again.
    const quiet = [
      ...["rootfs-packed", "staged", "recorded", "named", "published", "locked", "announced", "saved"],
      ...["network-joined", "template-found", "qemu-spawned", "pod-started", "network-ready", "shim-started"],
    ];
    const made = await eachPhase(place, [["runPod", config]], check, quiet, { factory });
    const due = ["template-loaded", "agent-met", "identity-renewed", "interface-plugged", "proxy-started"];
    for (const phase of due) assert.ok(made.includes(phase), made.join());
    await stopPod(POD, options);
    const again = await eachPhase(
      place,
      [["startPod", POD]],
      async (phase) => {
        const { state } = await statusOf(place);
        assert.ok(["stopped", "ready", "running"].includes(state), `${phase}: ${state}`);
        if (state !== "stopped") await stopPod(POD, options);
      },
      quiet,
      { factory },
    );
    for (const phase of due) assert.ok(again.includes(phase), again.join());
    assert.equal(await runScript(place, POD, CONTAINER, "hostname"), `${POD}\n`);
    await deletePod(POD, options);
    assert.deepEqual(inside.dump(), before);
  });
});

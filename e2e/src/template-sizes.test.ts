/** The size of VMs that begin as copies of a template: what was asked for, from the container's first moment on. */
import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { describe } from "node:test";
import {
  type ContainerConfig,
  deletePod,
  type HypervisorConfig,
  listTemplates,
  type PodConfig,
  runPod,
  statusPod,
} from "@husk/virtcontainers";
import { DEMO_ROOTFS } from "./support/places.ts";
import { TemplatePlace } from "./support/template-place.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const MIB = 2 ** 20;
const LIMITS = { cpu: { quota: 200_000, period: 100_000 }, memory: { limit: 128 * MIB } };

/** Runs a copy whose container tells at once what it sees; gives that, what the status says, and the warnings. */
async function tellSize(
  place: Workplace,
  templates: TemplatePlace,
  { hypervisorConfig = {}, ...more }: Partial<PodConfig>,
  container: Partial<ContainerConfig> = {},
) {
  const script = "nproc; awk '/MemTotal/ {print int($2 / 1024)}' /proc/meminfo";
  const config: PodConfig = {
    id: "sized",
    hypervisorConfig: { ...place.hypervisorConfig, defaultBridges: 2, ...hypervisorConfig },
    containers: [{ id: "c", rootFs: DEMO_ROOTFS, cmd: { args: ["sh", "-c", script] }, ...container }],
    ...more,
  };
  const warnings: string[] = [];
  let output: Promise<string> | undefined;
  await runPod(config, {
    ...place.options,
    factory: templates.factory,
    onWarning: ({ message }) => void warnings.push(message),
    onCreated: (pod) => {
      const [first] = pod.getAllContainers();
      assert.ok(first);
      output = text(first.attach().stdout);
    },
  });
  const [processors, mib = 0] = (await output)?.split("\n").map(Number) ?? [];
  const { vcpus, memory } = await statusPod("sized", place.options);
  await deletePod("sized", place.options);
  return { processors, mib, vcpus, memory, warnings };
}

describe("a copy of a template", () => {
  for (const agentType of ["hyperstart", "kata"] as const) {
    it(`is never larger than what was asked for, with the agent ${agentType}`, async ({ signal }) => {
      await using place = await Workplace.create(signal);
      await using templates = await TemplatePlace.create();
      const sizes = [
        { vcpus: 2, memory: 256 },
        { vcpus: 1, memory: 128 },
        { vcpus: 2, memory: 256 },
      ];
      for (const vmConfig of sizes) {
        const told = await tellSize(place, templates, { agentType, vmConfig });
        const { vcpus, memory, processors } = told;
        assert.deepEqual({ vcpus, memory, processors }, { ...vmConfig, processors: vmConfig.vcpus });
        assert.ok(told.mib < vmConfig.memory && told.mib > vmConfig.memory / 2, `${told.mib} MiB`);
      }
      const made = await listTemplates(templates.factory, place.options);
      assert.deepEqual(
        made.map(({ vcpus, memory }) => ({ vcpus, memory })),
        [sizes[1], sizes[0]],
      );
    });
  }

  it("has what its containers may use before they begin", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    await using templates = await TemplatePlace.create();
    const run = (hypervisorConfig: HypervisorConfig, container: Partial<ContainerConfig>) =>
      tellSize(place, templates, { agentType: "kata", hypervisorConfig }, container);
    const room = { defaultMaxVCPUs: 3, memSlots: 1 };
    const base = await run(room, {});
    for (let round = 0; round < 3; round++) {
      const { mib, ...grown } = await run(room, { resources: LIMITS });
      assert.deepEqual(grown, { processors: 3, vcpus: 3, memory: 384, warnings: [] });
      assert.ok(mib > base.mib + 100, `${base.mib} MiB have become ${mib}`);
    }
    const { mib, warnings, ...stayed } = await run({}, { resources: LIMITS });
    assert.deepEqual(stayed, { processors: 1, vcpus: 1, memory: 256 });
    assert.ok(mib < 256);
    assert.match(warnings.join(), /has 1 vCPUs, 256 MiB, and cannot grow to \d+ vCPUs, 384 MiB/);
  });
});

/** Pods with proxies and shims whose VMs begin as copies of a template. */
import assert from "node:assert/strict";
import { describe } from "node:test";
import { deletePod, runPod, startPod, stopPod } from "@husk/virtcontainers";
import { needsRoot } from "./support/needs-root.ts";
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
/** Writes numbers, with a pause in which it can be killed. */
const SCRIPT = `seq 0 999; sleep 1; seq 1000 ${COUNT - 1}; exec sleep 1000`;

async function runCopy(place: Workplace, family: Family, templates: TemplatePlace): Promise<string[]> {
  const phases: string[] = [];
  const onPhase = ({ name }: { name: string }) => void phases.push(name);
  const hypervisorConfig = { ...place.hypervisorConfig, defaultBridges: 2 };
  const config = residentPod(
    place,
    family,
    { args: ["sh", "-c", SCRIPT], detach: true },
    { hypervisorConfig },
  );
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
      assert.equal(await runScript(place, POD, CONTAINER, "hostname"), `${POD}\n`);
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

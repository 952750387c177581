import assert from "node:assert/strict";
import { join } from "node:path";
import { describe } from "node:test";
import { deletePod, runPod, statusPod } from "@husk/virtcontainers";
import { makeDoomedCall } from "./support/doomed-call.ts";
import type { HammerReport } from "./support/hammer-worker.ts";
import { DEMO_ROOTFS } from "./support/places.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const WORKER = join(import.meta.dirname, "support/hammer-worker.ts");
const PROCESSES = 8;
const ROUNDS = 10;

describe("eight processes that use one pod", () => {
  for (const owner of ["this process", "whichever of them comes first"]) {
    it(`see it as it is and leave nothing, the agent's channels held by ${owner}`, async ({ signal }) => {
      await using place = await Workplace.create(signal);
      const { options, hypervisorConfig } = place;
      const base = { id: "base", rootFs: DEMO_ROOTFS, cmd: { args: ["sleep", "1000"] } };
      const config = { id: "pod", hypervisorConfig, containers: [base] };
      if (owner === "this process") await runPod(config, options);
      else await makeDoomedCall(place, { calls: [["runPod", config]] });

      const reports = await Promise.all(
        Array.from({ length: PROCESSES }, (_, index) => hammer(place, 7919 * (index + 1))),
      );
      assert.deepEqual(
        reports.flatMap(({ faults }) => faults),
        [],
      );
      for (const name of [
        "statusPod",
        "listPod",
        "enterContainer",
        "pausePod",
        "startContainer",
        "deleteContainer",
      ])
        assert.ok(
          reports.some(({ done }) => done[name]),
          `${name} never succeeded`,
        );

      const { state, containersStatus } = await statusPod("pod", options);
      const containers = containersStatus.map((container) => [container.id, container.state]);
      assert.deepEqual([state, ...containers], ["running", ["base", "running"]]);
      const there = await place.husk(["exec", "pod/base", "--", "ps", "-o", "args"]);
      assert.deepEqual(there.stdout.toString().match(/^sleep .*/gm), ["sleep 1000"], there.stderr);
      await deletePod("pod", options);
    });
  }
});

async function hammer(place: Workplace, seed: number): Promise<HammerReport> {
  const { ended } = place.startProgram(process.execPath, [WORKER, "pod", `${ROUNDS}`, `${seed}`]);
  const { status, stdout, stderr } = await ended;
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout.toString());
}

import assert from "node:assert/strict";
import { describe } from "node:test";
import { deletePod, runPod, statusContainer, waitContainer } from "@husk/virtcontainers";
import { makeDoomedCall } from "./support/doomed-call.ts";
import {
  CONTAINER,
  FAMILIES,
  killPart,
  numbers,
  type Part,
  POD,
  readOutput,
  residentPod,
  statusOf,
  vmEnded,
  whenWritten,
} from "./support/resident-pod.ts";
import { runScript } from "./support/run-script.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const COUNT = 3000;
/** Where the writer rests until it is told to go on: what is killed late is not to find it at its end. */
const REST = 2000;
const UNTIL_TOLD = `[ $i = ${REST} ] && until [ -e /tmp/go ]; do sleep 0.05; done`;
/** Writes the numbers in bursts, as fast as they go, and ends with a status of its own. */
const WRITER = `i=0; while [ $i -lt ${COUNT} ]; do echo $i; i=$((i+1)); [ $((i%250)) = 0 ] && sleep 0.05; ${UNTIL_TOLD}; done; exit 7`;
const WRITING = { args: ["sh", "-c", WRITER], detach: true };
/** Bytes of output after which the next part is killed. */
const STEP = 2500;

/** What is killed while output flows, in this order. */
const SURVIVED: readonly (readonly Part[])[] = [["shim"], ["proxy"], ["shim", "proxy"], ["proxy", "shim"]];
const DEADLY: readonly (readonly Part[])[] = [
  ["qemu"],
  ["shim", "qemu"],
  ["qemu", "shim"],
  ["proxy", "qemu"],
  ["qemu", "proxy"],
  ["shim", "proxy", "qemu"],
  ["proxy", "shim", "qemu"],
];

for (const family of FAMILIES) {
  describe(`killed while output flows, ${family.agentType}:`, () => {
    for (const parts of SURVIVED) {
      it(`the caller, then ${parts.join(", ")}: the output goes on, and the exit status is right`, async ({
        signal,
      }) => {
        await using place = await Workplace.create(signal);
        // The caller is gone when it has made its call.
        await makeDoomedCall(place, { calls: [["runPod", residentPod(place, family, WRITING)]] });
        for (const [index, part] of parts.entries()) {
          await whenWritten(place, STEP * (index + 1));
          killPart(await statusOf(place), part);
        }
        await runScript(place, POD, CONTAINER, "touch /tmp/go");
        assert.deepEqual(await waitContainer(POD, CONTAINER, place.options), { exitCode: 7 });
        const output = await readOutput(place);
        // hyperstart's streams know no position: what its proxy had taken and not passed on is lost with it.
        if (family.agentType === "kata" || !parts.includes("proxy")) assert.equal(output, numbers(COUNT));
        else assert.match(output, new RegExp(`${COUNT - 1}\n$`));
        const { state } = await statusContainer(POD, CONTAINER, place.options);
        assert.equal(state, "stopped");
        await deletePod(POD, place.options);
      });
    }

    for (const parts of DEADLY) {
      it(`${parts.join(", ")}: the pod is stopped, its log has no gaps, and nothing is left`, async ({
        signal,
      }) => {
        await using place = await Workplace.create(signal);
        await runPod(residentPod(place, family, WRITING), place.options);
        await whenWritten(place, STEP);
        const before = await statusOf(place);
        for (const part of parts) killPart(before, part);
        await vmEnded(place);
        const after = await statusOf(place);
        assert.deepEqual([after.state, after.hypervisorPid], ["stopped", undefined]);
        assert.equal(after.containersStatus[0]?.state, "stopped");
        const output = await readOutput(place);
        assert.ok(output.length >= STEP && numbers(COUNT).startsWith(output), output.slice(-100));
        await deletePod(POD, place.options);
      });
    }

    it("a proxy, again and again: callers and shims find the next one", async ({ signal }) => {
      await using place = await Workplace.create(signal);
      const { options } = place;
      await runPod(residentPod(place, family, { args: ["sleep", "1000"], detach: true }), options);
      for (let round = 0; round < 3; round++) {
        killPart(await statusOf(place), "proxy");
        const { status, stdout, stderr } = await place.husk(["exec", POD, "echo", "here"]);
        assert.deepEqual([status, stdout.toString(), stderr], [0, "here\n", ""]);
      }
      assert.equal((await statusContainer(POD, CONTAINER, options)).state, "running");
      await deletePod(POD, options);
    });
  });
}

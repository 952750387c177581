import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { buffer, text } from "node:stream/consumers";
import { describe } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import {
  createPod,
  deletePod,
  type EnteredProcess,
  enterContainer,
  processListContainer,
  runPod,
  startPod,
  statusContainer,
  waitContainer,
} from "@husk/virtcontainers";
import { CONTAINER, FAMILIES, POD, residentPod } from "./support/resident-pod.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const SLEEP = { args: ["sleep", "1000"], detach: true };
const MANY = 100;
/** Processes that are started at the same time. */
const AT_ONCE = 25;
const BYTES = 4 * 1024 * 1024;
/** A size and input go different ways with hyperstart, and the input may be there first. */
const UNTIL_SIZED = "read x; until stty size | grep '40 100'; do sleep 0.1; done";

/** Waits until no process of the container is the one with these words: a signal is sent before it has acted. */
async function untilGone(place: Workplace, words: string, signal: AbortSignal): Promise<void> {
  const list = async () => {
    const table = await processListContainer(POD, CONTAINER, { format: "table" }, place.options);
    return Buffer.from(table).toString();
  };
  while ((await list()).includes(words)) await delay(100, undefined, { signal });
}

function digest(data: Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

for (const { agentType, ...family } of FAMILIES) {
  describe(`shims, ${agentType}:`, () => {
    const kind = { agentType, ...family } as (typeof FAMILIES)[number];
    const enter = async (place: Workplace, script: string, more = {}): Promise<EnteredProcess> => {
      const cmd = { args: ["sh", "-c", script], ...more };
      return (await enterContainer(POD, CONTAINER, cmd, { ...place.options, attach: true })).process;
    };

    it("what is attached to has its own input, output, errors and exit status", async ({ signal }) => {
      await using place = await Workplace.create(signal);
      const { options } = place;
      const cmd = { args: ["sh", "-c", "cat; echo wrong >&2; exit 3"] };
      const pod = await createPod(residentPod(place, kind, cmd), options);
      const io = pod.getContainer(CONTAINER)?.attach();
      assert.ok(io?.stderr);
      await startPod(POD, options);
      assert.ok((await statusContainer(POD, CONTAINER, options)).pid > 0);
      const sent = Buffer.alloc(BYTES, "0123456789abcdefghij\n");
      io.stdin.end(sent);
      const [received, errors] = await Promise.all([buffer(io.stdout), text(io.stderr)]);
      assert.equal(digest(received), digest(sent));
      assert.equal(errors, "wrong\n");
      assert.deepEqual(await io.wait(), { exitCode: 3 });
      assert.deepEqual(await waitContainer(POD, CONTAINER, options), { exitCode: 3 });
      await deletePod(POD, options);
    });

    it("signals and sizes reach the process, and a shim that is killed takes it along", async ({
      signal,
    }) => {
      await using place = await Workplace.create(signal);
      await runPod(residentPod(place, kind, SLEEP), place.options);
      const trap = await enter(
        place,
        'trap "echo got it; exit 4" USR1; echo ready; while :; do sleep 0.05; done',
      );
      trap.io.stdout.once("data", () => void trap.io.signal(10));
      assert.equal(await text(trap.io.stdout), "ready\ngot it\n");
      assert.deepEqual(await trap.io.wait(), { exitCode: 4 });
      const sleeper = await enter(place, "exec sleep 1000");
      await sleeper.io.signal(9);
      assert.deepEqual(await sleeper.io.wait(), { exitCode: 137 });
      const terminal = await enter(place, UNTIL_SIZED, { interactive: true });
      await terminal.io.resize(40, 100);
      terminal.io.stdin.write("\n");
      assert.match(await text(terminal.io.stdout), /40 100/);
      const orphan = await enter(place, "echo here; exec sleep 2000");
      const shown = new Promise((resolve) => orphan.io.stdout.once("data", resolve));
      await shown;
      process.kill(orphan.pid, "SIGKILL");
      assert.deepEqual(await orphan.io.wait(), { exitCode: 137 });
      await untilGone(place, "sleep 2000", signal);
      await deletePod(POD, place.options);
    });

    it("a reader that is stuck holds its own process up, and the end of its pod hardly", async ({
      signal,
    }) => {
      await using place = await Workplace.create(signal);
      await runPod(residentPod(place, kind, SLEEP), place.options);
      const stuck = await enter(place, "yes");
      const other = await enter(place, "echo others go on");
      // hyperstart has one channel of streams for all processes of a pod.
      if (agentType === "kata") assert.equal(await text(other.io.stdout), "others go on\n");
      await deletePod(POD, place.options);
      stuck.io.stdout.resume();
      await stuck.io.wait().catch((error) => assert.match(error.code, /ERR_VM_LOST/));
    });

    it(`${MANY} of them work at the same time`, async ({ signal }) => {
      await using place = await Workplace.create(signal);
      const more = { vmConfig: { memory: 1024 } };
      await runPod(residentPod(place, kind, SLEEP, more), place.options);
      const all: EnteredProcess[] = [];
      while (all.length < MANY) {
        const next = Array.from({ length: AT_ONCE }, (_, index) => `read x; echo $x ${all.length + index}`);
        all.push(...(await Promise.all(next.map((script) => enter(place, script)))));
      }
      for (const { io } of all) io.stdin.end("says\n");
      const said = await Promise.all(all.map(({ io }) => text(io.stdout)));
      assert.deepEqual(
        said,
        all.map((_, index) => `says ${index}\n`),
      );
      for (const { io } of all) assert.deepEqual(await io.wait(), { exitCode: 0 });
      await deletePod(POD, place.options);
    });
  });
}

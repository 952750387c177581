import assert from "node:assert/strict";
import { describe } from "node:test";
import { AGENTS, inspect, output, removeEnded, startDetached } from "./support/detached.ts";
import { startInTerminal } from "./support/terminal.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

for (const agent of AGENTS) {
  describe(`husk attach, ${agent}`, () => {
    it("ties a terminal to a shell, and leaves it alone again", async ({ signal }) => {
      await using place = await Workplace.create(signal);
      await startDetached(place, "d", agent, "exec sh", ["-i", "-t"]);
      const first = startInTerminal(place, "stty rows 40 cols 100; exec $HUSK_COMMAND attach d");
      first.child.stdin.write("until stty size | grep '40 100'; do :; done; echo fir''st\n");
      await first.stdout.waitFor(/\n40 100[\s\S]*\nfirst/);
      first.child.stdin.write("\u0010\u0011");
      assert.equal((await first.ended).status, 0);
      assert.match(first.stdout.text(), /detached/);
      assert.equal((await inspect(place, "d")).state, "running");
      const second = startInTerminal(place, "exec $HUSK_COMMAND attach d");
      second.child.stdin.write("echo sec''ond; exit 5\n");
      await second.stdout.waitFor(/second/);
      assert.equal((await second.ended).status, 5);
      assert.match(await output(place, "logs", "d"), /first[\s\S]*second/);
      await removeEnded(place, "d");
    });

    it("passes input, its end and signals on", async ({ signal }) => {
      await using place = await Workplace.create(signal);
      await startDetached(
        place,
        "d",
        agent,
        "until read -t 1 go; do echo up; done; cat; trap 'echo gone; exit 7' HUP; echo ready; while :; do sleep 1; done",
        ["-i"],
      );
      const watcher = place.start(["attach", "--no-stdin", "--no-sig-proxy", "d"]);
      const typist = place.start(["attach", "d"]);
      await Promise.all([watcher, typist].map(({ stdout }) => stdout.waitFor(/up/)));
      typist.child.stdin.end("go\ninput\n");
      await typist.stdout.waitFor(/input\nready\n/);
      watcher.child.kill("SIGHUP");
      assert.equal((await watcher.ended).status, 129);
      typist.child.kill("SIGHUP");
      const { status, stdout } = await typist.ended;
      assert.deepEqual([status, stdout.toString().replaceAll("up\n", "")], [7, "input\nready\ngone\n"]);
      await removeEnded(place, "d");
    });

    it("lets several read, of whom one that is stuck holds up nobody", async ({ signal }) => {
      await using place = await Workplace.create(signal);
      // Of each part, less waits for a slow reader than what one is sent away for; of all, more waits for one that is stuck.
      const [parts, partBytes] = [6, 500_000];
      const write = `for part in $(seq ${parts}); do yes | head -c ${partBytes}; echo part $part; read go; done`;
      const script = `until read -t 1 go; do echo up; done; ${write}; exit 2`;
      await startDetached(place, "d", agent, script, ["-i"]);
      const stuck = place.start(["attach", "--no-stdin", "d"]);
      const reader = place.start(["attach", "d"]);
      await Promise.all([stuck.stdout.waitFor(/up/), reader.stdout.waitFor(/up/)]);
      stuck.child.kill("SIGSTOP");
      for (let part = 1; part <= parts; part++) {
        reader.child.stdin.write("go\n");
        await reader.stdout.waitFor(new RegExp(`part ${part}\n`));
      }
      reader.child.stdin.write("go\n");
      const { status, stdout, stderr } = await reader.ended;
      assert.equal(status, 2, stderr);
      assert.equal(stdout.toString().replaceAll(/(up|part \d)\n/g, "").length, parts * partBytes);
      assert.equal(await output(place, "wait", "d"), "2\n");
      stuck.child.kill("SIGCONT");
      const held = await stuck.ended;
      assert.ok(held.stdout.length < parts * partBytes, held.stderr);
      await removeEnded(place, "d");
    });

    it("is refused, with the state, when the command has ended", async ({ signal }) => {
      await using place = await Workplace.create(signal);
      await startDetached(place, "d", agent, "exit 1");
      await output(place, "wait", "d");
      const { status, stderr } = await place.husk(["attach", "d"]);
      assert.equal(status, 125);
      assert.match(stderr, /container "d" of pod "d" is stopped; .* \[ERR_STATE_INVALID\]/);
      await removeEnded(place, "d");
    });
  });
}

import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe } from "node:test";
import { AGENTS, output, podFolder, removeEnded, startDetached } from "./support/detached.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

/** The lines that `seq` writes. */
function sequence(from: number, to: number): string {
  return Array.from({ length: to - from + 1 }, (_, index) => `${from + index}\n`).join("");
}

for (const agent of AGENTS) {
  describe(`husk logs, ${agent}`, () => {
    it("has all that was written, in order, and shows what is asked for", async ({ signal }) => {
      await using place = await Workplace.create(signal);
      const script = "seq 1 20000; seq 1 3 >&2; printf 'no\\377text'";
      await startDetached(place, "d", agent, script);
      assert.equal(await output(place, "wait", "d"), "0\n");
      const { stdout, stderr } = await place.husk(["logs", "d"]);
      assert.deepEqual(
        stdout,
        Buffer.concat([Buffer.from(`${sequence(1, 20000)}no`), Buffer.of(0xff), Buffer.from("text")]),
      );
      assert.equal(stderr, sequence(1, 3));
      assert.equal(await output(place, "logs", "--stderr", "d"), "");
      assert.match(await output(place, "logs", "-n", "2", "--stdout", "d"), /^20000\nno\ufffdtext$/);
      assert.equal(await output(place, "logs", "--since", "2100-01-01T00:00:00Z", "d"), "");
      assert.match(await output(place, "logs", "-t", "d"), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z 1\n/);
      const lines = (await output(place, "logs", "--json", "--stdout", "d")).trimEnd().split("\n");
      let position = 0;
      for (const { offset, log, base64 = "" } of lines.map((line) => JSON.parse(line))) {
        assert.equal(offset, position);
        position += log === undefined ? Buffer.from(base64, "base64").length : Buffer.byteLength(log);
      }
      assert.equal(position, stdout.length);
      await removeEnded(place, "d");
    });

    it("keeps a log within its bounds, and follows it across its files", async ({ signal }) => {
      await using place = await Workplace.create(signal);
      const bounds = ["--log-max-size", "256k", "--log-max-files", "3"];
      await startDetached(place, "d", agent, "echo up; read go; seq 1 60000", ["-i", ...bounds]);
      const follower = place.start(["logs", "-f", "d"]);
      await follower.stdout.waitFor(/up/);
      const { status } = await place.husk(["attach", "d"], { input: "go\n" });
      assert.equal(status, 0);
      const followed = await follower.ended;
      assert.equal(followed.status, 0);
      const folder = join(podFolder(place, "d"), "containers/d");
      const files = readdirSync(folder).filter((name) => name.startsWith("output.log"));
      assert.deepEqual(files.sort(), ["output.log", "output.log.1", "output.log.2"]);
      for (const name of files) assert.ok(statSync(join(folder, name)).size <= 256 * 1024);
      const kept = await output(place, "logs", "d");
      assert.ok(sequence(1, 60000).endsWith(kept) && kept.length > 10_000, kept.slice(0, 100));
      // A follower that was too slow for files this small says so; what it has is right nevertheless.
      if (followed.stderr === "") assert.equal(followed.stdout.toString(), `up\n${sequence(1, 60000)}`);
      else assert.match(followed.stderr, /ERR_LOG_DAMAGED/);
      await removeEnded(place, "d");
    });

    it("follows a command to its end, from its last lines on", async ({ signal }) => {
      await using place = await Workplace.create(signal);
      await startDetached(place, "d", agent, "seq 1 100; read go; seq 101 200", ["-i"]);
      const doomed = place.start(["logs", "-f", "d"]);
      await doomed.stdout.waitFor(/100\n$/);
      const follower = place.start(["logs", "-f", "--tail", "2", "d"]);
      await follower.stdout.waitFor(/^99\n100\n$/);
      // Following neither keeps the command from ending, nor is it noticed when a follower dies.
      doomed.child.kill("SIGKILL");
      await doomed.ended;
      await place.husk(["attach", "d"], { input: "go\n" });
      const { status, stdout } = await follower.ended;
      assert.deepEqual([status, stdout.toString()], [0, sequence(99, 200)]);
      await removeEnded(place, "d");
    });
  });
}

describe("husk logs, attach", () => {
  it("say why they cannot, for a command that is not detached", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const foreground = place.start(["run", "--rm", "--name", "f", "--", "sh", "-c", "echo up; sleep 1000"]);
    await foreground.stdout.waitFor(/up/);
    for (const command of ["logs", "attach"]) {
      const { status, stderr } = await place.husk([command, "f"]);
      assert.equal(status, 125);
      assert.match(stderr, /not started detached.* \[ERR_NOT_DETACHED\]\nhint: .*husk run: -d/);
    }
    const waiting = place.start(["wait", "f"]);
    // The wait has a session of its own through the owner's; then the end comes to both.
    await place.husk(["exec", "f", "--", "sh", "-c", "until kill -TERM $(pidof sleep); do :; done"]);
    assert.equal((await foreground.ended).status, 143);
    assert.match(
      (await waiting.ended).stdout.toString() + (await waiting.ended).stderr,
      /^143\n$|ERR_POD_NOT_FOUND/,
    );
  });
});

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe } from "node:test";
import {
  AGENTS,
  inspect,
  output,
  podFolder,
  proxyPid,
  removeEnded,
  shimPid,
  startDetached,
  untilGone,
  untilNoProcesses,
  untilProxyIsBack,
  untilStopped,
  untilWritten,
} from "./support/detached.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

for (const agent of AGENTS) {
  describe(`husk run -d, ${agent}`, () => {
    it("goes on alone, and ends with its command, but for the log", async ({ signal }) => {
      await using place = await Workplace.create(signal);
      const script = "echo begun; echo error >&2; read line; echo $line; exit 3";
      await startDetached(place, "d", agent, script, ["-i"]);
      assert.equal((await inspect(place, "d")).state, "running");
      assert.match(await output(place, "ps"), /^d +running/m);
      const waiting = place.start(["wait", "d"]);
      await place.husk(["attach", "d"], { input: "typed\n" });
      assert.equal((await waiting.ended).stdout.toString(), "3\n");
      await untilStopped(place, "d");
      assert.match(await output(place, "ps", "-a"), /^d +stopped \(3\)/m);
      await untilNoProcesses(place);
      const { stdout, stderr } = await place.husk(["logs", "d"]);
      assert.deepEqual([stdout.toString(), stderr], ["begun\ntyped\n", "error\n"]);
      assert.equal(await output(place, "wait", "d"), "3\n");
      await output(place, "rm", "d");
    });

    it("leaves nothing with --rm", async ({ signal }) => {
      await using place = await Workplace.create(signal);
      await startDetached(place, "d", agent, "sleep 1", ["--rm"]);
      await untilGone(place, podFolder(place, "d"));
      await untilNoProcesses(place);
    });

    it("tells whose commands have ended, and how", async ({ signal }) => {
      await using place = await Workplace.create(signal);
      await startDetached(place, "d", agent, "exit 0");
      await startDetached(place, "e", agent, "sleep 1000");
      const waiting = place.start(["wait", "d", "nosuch", "e"]);
      await waiting.stdout.waitFor(/^0\n/);
      await output(place, "exec", "-d", "e", "--", "sh", "-c", "until kill -TERM $(pidof sleep); do :; done");
      const { status, stdout, stderr } = await waiting.ended;
      assert.deepEqual([status, stdout.toString()], [125, "0\n143\n"]);
      assert.match(stderr, /ERR_POD_NOT_FOUND/);
      // Its VM may not have been ended yet.
      await output(place, "rm", "e");
      await removeEnded(place, "d");
    });

    it("fails as husk run does, and leaves nothing", async ({ signal }) => {
      await using place = await Workplace.create(signal);
      const { status, stdout, stderr } = await place.husk(["run", "-d", "--agent", agent, "--", "nosuch"]);
      if (agent === "kata") {
        assert.equal(status, 127, stderr);
        assert.match(stderr, /ERR_PROGRAM_NOT_FOUND/);
      } else {
        // hyperstart says that it has begun, and finds that out then.
        const name = stdout.toString().trim();
        assert.equal(await output(place, "wait", name), "127\n");
        await removeEnded(place, name);
      }
    });

    it("can be stopped and removed while it runs", async ({ signal }) => {
      await using place = await Workplace.create(signal);
      await startDetached(
        place,
        "d",
        agent,
        "trap 'echo bye; exit 4' TERM; echo up; while :; do sleep 1; done",
      );
      await untilWritten(place, "d", /up\n/);
      await output(place, "stop", "d");
      assert.match(await output(place, "ps", "-a"), /^d +stopped \(4\)/m);
      assert.equal(await output(place, "logs", "d"), "up\nbye\n");
      await output(place, "rm", "d");
      await startDetached(place, "d", agent, "sleep 1000");
      await output(place, "rm", "-f", "d");
      await untilNoProcesses(place);
      assert.ok(!existsSync(podFolder(place, "d")));
    });
  });

  describe(`kill -9 with husk run -d, ${agent}`, () => {
    const COUNT = "i=0; while [ $i -lt 4000 ]; do echo $i; i=$((i+1)); done";
    const COUNTED = Array.from({ length: 4000 }, (_, index) => `${index}\n`).join("");

    it("of the shim loses no output, and no exit status", async ({ signal }) => {
      await using place = await Workplace.create(signal);
      await startDetached(place, "d", agent, `read go; ${COUNT}; read go; exit 6`, ["-i"]);
      const first = await shimPid(place, "d");
      const reader = place.start(["attach", "d"]);
      reader.child.stdin.write("go\n");
      await reader.stdout.waitFor(/\n100\n/);
      process.kill(first, "SIGKILL");
      assert.match((await reader.ended).stderr, /ERR_SHIM_LOST/);
      assert.match(await output(place, "ps"), /^d +running/m);
      assert.notEqual(await shimPid(place, "d"), first);
      assert.equal((await place.husk(["attach", "d"], { input: "go\n" })).status, 6);
      assert.equal(await output(place, "logs", "d"), COUNTED);
      await removeEnded(place, "d");
    });

    it("of the proxy leaves the command and its exit status", async ({ signal }) => {
      await using place = await Workplace.create(signal);
      await startDetached(place, "d", agent, `read go; echo up; read go; ${COUNT}; exit 6`, ["-i"]);
      const reader = place.start(["attach", "d"]);
      reader.child.stdin.write("go\n");
      await reader.stdout.waitFor(/up\n/);
      const dead = proxyPid(place, "d");
      process.kill(dead, "SIGKILL");
      // Input that was on its way through a proxy is gone with it.
      await untilProxyIsBack(place, "d", dead);
      reader.child.stdin.write("go\n");
      await reader.stdout.waitFor(/\n3999\n/);
      assert.equal((await reader.ended).status, 6);
      assert.equal(await output(place, "logs", "d"), `up\n${COUNTED}`);
      await removeEnded(place, "d");
    });

    if (agent === "kata") {
      it("of proxy and shim at once, while output flows, loses none of it", async ({ signal }) => {
        await using place = await Workplace.create(signal);
        await startDetached(place, "d", agent, `read go; seq 1 200000; ${COUNT}; read go; exit 6`, ["-i"]);
        const [shim, proxy] = [await shimPid(place, "d"), proxyPid(place, "d")];
        const reader = place.start(["attach", "d"]);
        reader.child.stdin.write("go\n");
        await reader.stdout.waitFor(/\n100\n/);
        process.kill(proxy, "SIGKILL");
        process.kill(shim, "SIGKILL");
        await reader.ended;
        assert.equal((await place.husk(["attach", "d"], { input: "go\n" })).status, 6);
        const counted = Array.from({ length: 200_000 }, (_, index) => `${index + 1}\n`).join("");
        const logged = await output(place, "logs", "d");
        assert.equal(logged.length, `${counted}${COUNTED}`.length);
        assert.ok(logged === counted + COUNTED);
        await removeEnded(place, "d");
      });
    }

    it("of QEMU is told, and leaves no process", async ({ signal }) => {
      await using place = await Workplace.create(signal);
      await startDetached(place, "d", agent, "echo up; sleep 1000");
      const follower = place.start(["logs", "-f", "d"]);
      const waiting = place.start(["wait", "d"]);
      await follower.stdout.waitFor(/up\n/);
      const { hypervisorPid } = await inspect(place, "d");
      process.kill(hypervisorPid, "SIGKILL");
      assert.equal((await follower.ended).stdout.toString(), "up\n");
      assert.match((await waiting.ended).stderr, /ERR_VM_LOST/);
      assert.match(await output(place, "ps", "-a"), /^d +stopped /m);
      assert.equal(await output(place, "logs", "d"), "up\n");
      await output(place, "rm", "d");
      await untilNoProcesses(place);
    });
  });
}

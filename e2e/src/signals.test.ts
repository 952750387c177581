import assert from "node:assert/strict";
import { describe } from "node:test";
import { makeAnnouncedQemu } from "./support/announced-qemu.ts";
import { makeBrokenGuest } from "./support/broken-guest.ts";
import { startInTerminal } from "./support/terminal.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

describe("signals to husk run", () => {
  for (const [name, number] of [
    ["SIGINT", 2],
    ["SIGTERM", 15],
    ["SIGHUP", 1],
    ["SIGQUIT", 3],
    ["SIGUSR1", 10],
  ] as const) {
    it(`passes ${name} to the command`, async ({ signal }) => {
      await using place = await Workplace.create(signal);
      const script = `trap 'echo got it; exit 9' ${number}; echo ready; while :; do sleep 0.1; done`;
      const { child, stdout, ended } = place.start(["run", "--rm", "--", "sh", "-c", script]);
      await stdout.waitFor(/ready/);
      child.kill(name);
      const result = await ended;
      assert.deepEqual([result.status, result.stdout.toString()], [9, "ready\ngot it\n"]);
    });
  }

  it("ends a command that does not handle SIGTERM, with 143", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { child, stdout, ended } = place.start([
      "run",
      "--rm",
      "--",
      "sh",
      "-c",
      "echo ready; exec sleep 1000",
    ]);
    await stdout.waitFor(/ready/);
    child.kill("SIGTERM");
    assert.equal((await ended).status, 143);
  });

  it("passes Ctrl-C in a terminal to the command when it has none of its own", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const script = `exec $HUSK_COMMAND run --rm -- sh -c 'trap "echo got it; exit 9" INT; echo ready; while :; do sleep 0.1; done'`;
    const { child, stdout, ended } = startInTerminal(place, script);
    await stdout.waitFor(/ready/);
    child.stdin.write("\u0003");
    assert.equal((await ended).status, 9);
    assert.match(stdout.text(), /got it/);
  });

  it("undoes a boot that a signal interrupts", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const qemu = await makeAnnouncedQemu(place);
    const env = { ...qemu.env, HUSK_INITRAMFS: makeBrokenGuest(place, "hang") };
    const { child, ended } = place.start(["run", "--", "true"], env);
    await qemu.started();
    child.kill("SIGTERM");
    const { status, stderr } = await ended;
    assert.deepEqual([status, stderr], [143, ""]);
  });
});

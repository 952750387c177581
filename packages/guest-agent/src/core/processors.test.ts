import assert from "node:assert/strict";
import { test } from "node:test";
import { Command } from "@husk/wire/hyperstart";
import { Session } from "../../test/support/session.ts";
import { runOwn } from "../../test/support/shell.ts";
import { needsStage } from "../../test/support/stage.ts";

const SYSTEM = "/sys/devices/system";

test("ONLINECPUMEM brings online what is off, and says what stays so", needsStage, async () => {
  await using session = await Session.start();
  // Nothing to plug anything into: nothing to do.
  await session.ask(Command.ONLINECPUMEM);
  const files = ["cpu/cpu0", "cpu/cpu1", "cpu/cpu12", "cpu/cpufreq", "memory/memory0", "memory/memory7"];
  const make = (name: string) => `mkdir -p ${SYSTEM}/${name} && echo 0 > ${SYSTEM}/${name}/online`;
  await runOwn(session, "sh", "-c", files.map(make).join(" && "));
  await session.ask(Command.ONLINECPUMEM);
  const shown = await runOwn(
    session,
    "sh",
    "-c",
    `cd ${SYSTEM} && head -c1 ${files.map((f) => `${f}/online`).join(" ")}`,
  );
  const values = shown.split("\n").filter((line) => /^[01]/.test(line));
  assert.deepEqual(
    values.map((line) => line[0]),
    ["0", "1", "1", "0", "0", "1"],
  );
  await runOwn(session, "sh", "-c", `echo 0 > ${SYSTEM}/cpu/cpu1/online && mount -o remount,ro ${SYSTEM}`);
  assert.match(await session.refuse(Command.ONLINECPUMEM), /cpu1\/online: Read-only file system$/);
});

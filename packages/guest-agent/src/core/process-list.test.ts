import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { PSCONTAINER, parseListedPids } from "@husk/wire/hyperstart";
import { exec, sh, startContainer, startPod, useDisk } from "../../test/support/containers.ts";
import { needsDisk } from "../../test/support/disk.ts";
import type { Session } from "../../test/support/session.ts";

useDisk();

const list = async (session: Session, container: string, format: string, ...psargs: string[]) =>
  Buffer.from(await session.ask(PSCONTAINER, { container, format, psargs })).toString();

describe("PSCONTAINER", needsDisk, () => {
  test("gives the pids of the container alone, as the pod sees them", async () => {
    await using session = await startPod();
    const first = await startContainer(session, "a", sh("sleep 1000 & echo $$; wait"));
    const other = await startContainer(session, "b", sh("echo $$; sleep 1000"));
    const more = await exec(session, "a", "echo $$; sleep 1000");
    for (const one of [first, other, more]) await one.outputUntil((output) => output.endsWith("\n"));
    const pids = parseListedPids(await session.ask(PSCONTAINER, { container: "a", format: "json" }));
    assert.equal(pids.length, 3);
    assert.ok(pids.includes(Number(first.outputSoFar)) && pids.includes(Number(more.outputSoFar)));
    assert.ok(!pids.includes(Number(other.outputSoFar)) && !pids.includes(1));
  });

  test("gives a table as ps -ef does, with the container's own names", async () => {
    await using session = await startPod();
    const command = sh("sleep 1000 & echo $!; wait");
    const first = await startContainer(session, "a", command, { process: { user: "worker" } });
    await first.outputUntil((output) => output.endsWith("\n"));
    // The child has been forked, but may not be its program yet.
    let table = "";
    while (!table.includes(" sleep 1000\n")) table = await list(session, "a", "table");
    const lines = table.trimEnd().split("\n");
    const rows = lines.map((line) => line.trim().split(/\s+/));
    assert.deepEqual(rows[0], ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]);
    const init = rows[1]?.[1];
    const [parent, child] = rows.slice(1).map((row) => [row[0], row[1], row[2], row[5], ...row.slice(7)]);
    assert.deepEqual(parent, ["worker", init, "0", "?", ...command.join(" ").split(" ")]);
    assert.deepEqual(child, ["worker", first.outputSoFar.trim(), init, "?", "sleep", "1000"]);
    assert.equal(rows.length, 3);
  });

  test("gives the columns asked for, and refuses what it does not know", async () => {
    await using session = await startPod();
    await startContainer(session, "a", ["sleep", "1000"], { process: { terminal: true, stderr: 0 } });
    const table = await list(session, "a", "table", "-o", "tty,comm,args,uid,nlwp");
    assert.deepEqual(
      table.split("\n").map((line) => line.trim().split(/\s+/)),
      [["TTY", "COMMAND", "COMMAND", "UID", "NLWP"], ["pts/0", "sleep", "sleep", "1000", "0", "1"], [""]],
    );
    assert.match(await list(session, "a", "table", "aux"), /^USER +PID %CPU %MEM .*\nroot /);
    for (const [request, text] of [
      [{ container: "a", format: "table", psargs: ["-Z"] }, /^ps option "-Z" is not supported/],
      [{ container: "a", format: "xml" }, /^format: /],
      [{ container: "none", format: "json" }, /^no such container: "none"$/],
      [{}, /^container: is missing$/],
    ] as const) {
      assert.match(await session.refuse(PSCONTAINER, request), text);
    }
  });

  test("a process's own words cannot forge a line", async () => {
    await using session = await startPod();
    const script = "echo up; sleep 1000; echo '\nroot 1 0 0 00:00 ? 00:00:00 forged'";
    const first = await startContainer(session, "a", sh(script));
    await first.outputUntil((output) => output === "up\n");
    const lines = (await list(session, "a", "table")).trimEnd().split("\n");
    assert.ok(lines.length <= 3);
    assert.match(lines[1] as string, / \/bin\/sh -c echo up; sleep 1000; echo ' root 1 0 /);
  });
});

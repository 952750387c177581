import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { Command } from "@husk/wire/hyperstart";
import { Session } from "../../test/support/session.ts";
import { makeFolder, needsStage } from "../../test/support/stage.ts";

const shell = (script: string, ...args: string[]) => ["/bin/sh", "-c", script, "sh", ...args];

describe("a process's end", needsStage, () => {
  test("is its exit code", async () => {
    await using session = await Session.start();
    for (const code of [0, 1, 42, 127, 255]) {
      const process = await session.exec(shell('exit "$1"', String(code)));
      assert.deepEqual(await process.result(), { code, stdout: "", stderr: "" });
    }
  });

  test("is 128 + the signal that killed it (row 6)", async () => {
    await using session = await Session.start();
    for (const [name, code] of Object.entries({ KILL: 137, TERM: 143, USR1: 138, SEGV: 139 })) {
      const process = await session.exec(shell('kill -"$1" $$', name));
      assert.equal(await process.exited(), code);
    }
  });

  test("is told of after the ACK, and once; its output ends once, after all of it", async () => {
    await using session = await Session.start();
    const started = Array.from({ length: 50 }, async (_, at) => {
      const { process, spec } = session.prepare(shell("echo out; echo err >&2"), "hyperstart", {
        id: `p${at}`,
      });
      await session.ask(Command.EXECCMD, { container: "hyperstart", process: spec });
      return process;
    });
    const processes = await Promise.all(started);
    for (const process of processes) {
      assert.deepEqual(await process.result(), { code: 0, stdout: "out\n", stderr: "err\n" });
    }
    await session.ping();
    const acks = session.arrivals.flatMap(({ kind }, at) => (kind === "ACK" ? [at] : []));
    for (const [nth, { id, stdio, stderr }] of processes.entries()) {
      const of = (kind: string, key: object) =>
        session.arrivals.flatMap((arrival, at) => {
          const found = { ...arrival, ...key, kind };
          return JSON.stringify(found) === JSON.stringify(arrival) ? [at] : [];
        });
      const exits = of("exit", { process: `hyperstart/${id}` });
      assert.equal(exits.length, 1);
      assert.ok((exits[0] as number) > (acks[nth] as number), "the ACK is first");
      const [ends, data] = [
        of("end", { seq: stdio }),
        [...of("data", { seq: stdio }), ...of("data", { seq: stderr })],
      ];
      assert.deepEqual([ends.length, of("end", { seq: stderr }).length, data.length], [1, 0, 2]);
      assert.ok(Math.max(...data) < (ends[0] as number), "the end is last");
    }
  });

  test("is told of at once while a background child holds its output (row 12)", async () => {
    await using session = await Session.start();
    const process = await session.exec(shell("sleep 1000 & echo $!; exit 3"));
    assert.equal(await process.exited(), 3);
    await process.outputUntil((output) => output.endsWith("\n"));
    // What comes for it now is nobody's, but its output has not ended.
    await process.write("late");
    await (await session.exec(["true"])).result();
    assert.equal(session.endsOf(process.stdio), 0);
    await session.exec(["kill", process.outputSoFar.trim()]);
    await process.ended();
  });

  test("of a program that cannot be executed is 127 or 126, as a shell has it", async () => {
    await using session = await Session.start();
    await using folder = await makeFolder();
    const text = `${folder.path}/text`;
    await writeFile(text, "not a program", { mode: 0o755 });
    const results = [["no-such-program"], ["/none"], ["/etc"], [text]].map(async (args) =>
      (await session.exec(args)).result(),
    );
    assert.deepEqual(await Promise.all(results), [
      { code: 127, stdout: "", stderr: "exec failed: no-such-program: not found\n" },
      { code: 127, stdout: "", stderr: "exec failed: /none: not found\n" },
      { code: 126, stdout: "", stderr: "exec failed: /etc: /etc: Permission denied\n" },
      { code: 126, stdout: "", stderr: `exec failed: ${text}: ${text}: Exec format error\n` },
    ]);
  });
});

describe("a process that cannot be started", needsStage, () => {
  test("is an ERROR that says why, and hurts nothing (row 1)", async () => {
    await using session = await Session.start();
    const faults: [more: object, text: string][] = [
      [{ workdir: "/none" }, 'working directory "/none": chdir /none: No such file or directory'],
      [{ user: "nobody-here" }, 'unknown user "nobody-here" in the container\'s /etc/passwd'],
      [{ group: "none-such" }, 'unknown group "none-such" in the container\'s /etc/group'],
      [{ additionalGroups: ["none-such"] }, 'unknown group "none-such" in the container\'s /etc/group'],
      [{ rlimits: [{ type: "RLIMIT_X", soft: 1, hard: 1 }] }, 'unknown resource limit "RLIMIT_X"'],
      [{ terminal: true }, "a process of the agent has no terminal"],
    ];
    for (const [more, text] of faults) {
      const { spec } = session.prepare(["true"], "hyperstart", more);
      assert.equal(await session.refuse(Command.EXECCMD, { container: "hyperstart", process: spec }), text);
    }
    const process = await session.exec(["echo", "fine"]);
    assert.equal((await process.result()).stdout, "fine\n");
    assert.equal(session.exits.size, 1, "of a process that never was there is no exit");
  });

  test("because its id is in use does not touch the one that has it", async () => {
    await using session = await Session.start();
    const process = await session.exec(["cat"], { id: "init" });
    const { spec } = session.prepare(["true"], "hyperstart", { id: "init" });
    const refusal = await session.refuse(Command.EXECCMD, { container: "hyperstart", process: spec });
    assert.equal(refusal, 'process id "init" is in use');
    await process.write("still here");
    await process.endInput();
    assert.deepEqual(await process.result(), { code: 0, stdout: "still here", stderr: "" });
    assert.equal((await (await session.exec(["true"], { id: "init" })).result()).code, 0);
  });
});

describe("a process's surroundings", needsStage, () => {
  test("are what was asked for", async () => {
    await using session = await Session.start();
    const process = await session.exec(shell("pwd; id -u; id -g; id -G; echo $A; echo $HOME; ulimit -n"), {
      workdir: "/usr",
      user: "1234",
      group: "55",
      additionalGroups: ["66"],
      envs: [
        { env: "A", value: "old" },
        { env: "A", value: "ä b" },
      ],
      rlimits: [{ type: "RLIMIT_NOFILE", soft: 77, hard: 88 }],
    });
    const { stdout, stderr } = await process.result();
    assert.deepEqual(
      [stdout.split("\n"), stderr],
      [["/usr", "1234", "55", "55 66", "ä b", "/", "77", ""], ""],
    );
  });

  test("include limits and no new privileges only when asked for (row 13)", async () => {
    await using session = await Session.start();
    const script =
      "ulimit -n; awk '/open files/ { print $4 }' /proc/1/limits; grep -E 'NoNew|SigBlk|SigIgn' /proc/self/status";
    const plain = await (await session.exec(shell(script))).result();
    const bare = await (await session.exec(shell(script), { noNewPrivileges: true })).result();
    const [limit, agents, ...others] = plain.stdout.trim().split("\n");
    assert.equal(limit, agents);
    const quiet = ["SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000"];
    assert.deepEqual(others.sort(), ["NoNewPrivs:\t0", ...quiet]);
    assert.match(bare.stdout, /NoNewPrivs:\t1/);
  });

  test("hold nothing of the agent's: no descriptor, no session, no ignored signal (row 23)", async () => {
    await using session = await Session.start();
    const process = await session.exec(["ls", "/proc/self/fd"]);
    // What this test itself was given by its parent goes through to all.
    const { stdout } = await promisify(execFile)("/bin/sh", ["-c", "exec ls /proc/self/fd"]);
    assert.equal((await process.result()).stdout, stdout);
    const leader = await session.exec(shell('set -- $(cat /proc/$$/stat); test "$1" = "$6" && echo leader'));
    assert.equal((await leader.result()).stdout, "leader\n");
  });
});

describe("signals", needsStage, () => {
  test("reach the process's whole group, also in the agent's own namespaces (row 11)", async () => {
    await using session = await Session.start();
    const process = await session.exec(shell("sleep 1000; echo not reached"));
    await session.ask(Command.SIGNALPROCESS, { container: "hyperstart", process: process.id, signal: 15 });
    assert.deepEqual(await process.result(), { code: 143, stdout: "", stderr: "" });
  });

  test("for one that has ended, but whose output has not, are no error", async () => {
    await using session = await Session.start();
    const process = await session.exec(shell("setsid sleep 1000 & echo $!"));
    assert.equal(await process.exited(), 0);
    await session.ask(Command.SIGNALPROCESS, { container: "hyperstart", process: process.id, signal: 15 });
    await process.outputUntil((output) => output.endsWith("\n"));
    await session.exec(["kill", "-9", process.outputSoFar.trim()]);
    await process.ended();
    const gone = { container: "hyperstart", process: process.id, signal: 15 };
    assert.equal(await session.refuse(Command.SIGNALPROCESS, gone), `no such process: "${process.id}"`);
  });

  test("of any number arrive, and 0 only asks", async () => {
    await using session = await Session.start();
    const process = await session.exec(shell("trap 'echo caught; exit 9' USR2; echo ready; read never"));
    await process.outputUntil((output) => output === "ready\n");
    for (const signal of [0, 12]) {
      await session.ask(Command.SIGNALPROCESS, { container: "hyperstart", process: process.id, signal });
    }
    assert.deepEqual(await process.result(), { code: 9, stdout: "ready\ncaught\n", stderr: "" });
  });
});

test("ids with quotes come back as they went in (row 20)", needsStage, async () => {
  await using session = await Session.start();
  const id = '"\\ }{"finished';
  const process = await session.exec(["true"], { id });
  assert.equal((await process.result()).code, 0);
  assert.deepEqual([...session.exits], [[`hyperstart/${id}`, 0]]);
});

test("500 processes leave the agent as it was: no descriptor, no memory, no zombie", needsStage, async () => {
  await using session = await Session.start();
  await using folder = await makeFolder();
  const look = async () => {
    const script =
      'ls /proc/1/fd | wc -l; grep VmRSS /proc/1/status; grep -l "PPid:.1$" /proc/[0-9]*/status | wc -l';
    // It looks when the agent is through with starting it.
    const process = await session.exec(shell(`read go; (${script}) > "$1"`, `${folder.path}/look`));
    await process.write("go\n");
    await process.result();
    const [fds = "", memory = "", children = ""] = (await readFile(`${folder.path}/look`, "utf8")).split(
      "\n",
    );
    return { fds: Number(fds), memory: Number(/\d+/.exec(memory)), children: Number(children) };
  };
  const runMany = async (count: number) => {
    const processes = await Promise.all(
      Array.from({ length: count }, (_, at) => session.exec(["echo", "x"], { id: `p${at}` })),
    );
    for (const process of processes) assert.equal((await process.result()).code, 0);
  };
  await runMany(50);
  const before = await look();
  for (let round = 0; round < 10; round++) await runMany(50);
  const after = await look();
  assert.deepEqual([after.fds, after.children], [before.fds, before.children]);
  assert.ok(after.memory < before.memory + 300, `${before.memory} KiB became ${after.memory} KiB`);
});

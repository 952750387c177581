import assert from "node:assert/strict";
import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { buildProgram } from "@husk/tiny/build";

const folder = mkdtempSync(join(tmpdir(), "husk-revive-"));
const started = new Set<number>();
after(async () => {
  for (const pid of started) kill(pid);
  await rm(folder, { recursive: true, force: true });
});
const entry = join(import.meta.dirname, "../../test/programs/revive.ts");
execFileSync("mkfifo", [join(folder, "said")]);
const { output: program } = await buildProgram({ entry, output: join(folder, "revive") });

const [command, lock, socket, log] = ["proxy.json", "proxy.lock", "proxy.sock", "proxy.log"].map((name) =>
  join(folder, name),
) as [string, string, string, string];

/** A proxy that says what it was given, as one that holds its lock does, and lives on. */
const SCRIPT = `echo $$ >&3; { echo "$@"; ls /proc/$$/fd | tr '\\n' ' '; pwd; } >${folder}/said; exec sleep 60`;

const describeProxy = (argv: readonly string[]) =>
  writeFile(command, JSON.stringify({ argv, lock, socket, log }));

interface Report {
  found: unknown[];
  pid: number | string | null;
  leaked: number;
}

async function revive(count = 1, ...lost: number[]): Promise<Report> {
  const args = [command, count, ...lost].map(String);
  const { stdout } = await promisify(execFile)(program, args, { timeout: 30_000 });
  return JSON.parse(stdout) as Report;
}

/** Reads what a proxy that was started says, whose pid is in its lock file by then. */
async function hear(): Promise<{ said: string[]; pid: number }> {
  const said = (await readFile(join(folder, "said"), "utf8")).split("\n");
  const pid = Number(await readFile(lock, "utf8"));
  started.add(pid);
  return { said, pid };
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

/** Waits until nobody has the lock. */
const whenUnlocked = () => promisify(execFile)("flock", ["-w", "20", lock, "true"]);

describe("a dead proxy", () => {
  it("is started once, whoever misses it, with its lock and a socket that listens", async () => {
    await describeProxy(["/bin/sh", "-c", SCRIPT, "proxy", "-some", "option"]);
    await writeFile(socket, "");
    const { found, leaked } = await revive(20);
    assert.equal(found.filter((here) => here === true).length, 1);
    assert.equal(found.filter((here) => here === false).length, 19);
    assert.equal(leaked, 0);
    const { said, pid } = await hear();
    assert.equal(said[0], "-some option -lock-fd 3 -listen-fd 4");
    assert.match(said[1] ?? "", /^0 1 (10 )?2 3 4 (255 )?\/$/);
    assert.equal((await stat(socket)).mode & 0o777, 0o600);
    const client = connect(socket);
    await once(client, "connect");
    client.destroy();
    assert.deepEqual(await revive(), { found: [false], pid, leaked: 0 });
    kill(pid);
    await whenUnlocked();
  });

  it("is waited for when it is about to end, and not when another one runs", async () => {
    await describeProxy(["/bin/sh", "-c", SCRIPT, "proxy"]);
    assert.deepEqual((await revive()).found, [true]);
    const { pid: first } = await hear();
    // It has the lock still, and is on its way out.
    setTimeout(() => kill(first), 200);
    assert.deepEqual((await revive(1, first)).found, [true]);
    const { pid: second } = await hear();
    assert.notEqual(second, first);
    assert.deepEqual((await revive(1, first)).found, [false]);
    kill(second);
    await whenUnlocked();
  });

  it("is not started while somebody else does so", async () => {
    await describeProxy(["/bin/sh", "-c", SCRIPT, "proxy"]);
    const other = spawn("flock", [command, "sh", "-c", "echo; read line"], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    try {
      await once(other.stdout, "data");
      const revived = revive();
      assert.equal(await Promise.race([revived, delay(300, "waits")]), "waits");
      other.stdin.end();
      assert.deepEqual((await revived).found, [true]);
      kill((await hear()).pid);
      await whenUnlocked();
    } finally {
      other.stdin.destroy();
    }
  });

  it("is not started when it said that the guest had broken the rules", async () => {
    await describeProxy(["/bin/sh", "-c", SCRIPT, "proxy"]);
    await writeFile(lock, "failed: the guest sent rubbish");
    assert.deepEqual((await revive()).found, ["the guest sent rubbish"]);
    await writeFile(lock, "");
  });

  it("that cannot be started is an error that says why", async () => {
    await describeProxy(["/none/proxy"]);
    const failure = "execve /none/proxy: No such file or directory";
    assert.deepEqual((await revive()).found, [failure]);
    for (const text of ["", "{", "[]", '{"argv":[]}', JSON.stringify({ argv: [1], lock, socket, log })]) {
      await writeFile(command, text);
      assert.deepEqual((await revive()).found, [`${command} does not say how to start a proxy`]);
    }
    await rm(command);
    assert.deepEqual((await revive()).found, [`open ${command}: No such file or directory`]);
  });
});

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { FakeShim, TestPrograms } from "../../test/support/fake-shim.ts";

const programs = await TestPrograms.build("fake-shim", "on-terminal");
after(() => programs.remove());

const stty = async (path: string, ...args: string[]) =>
  (await promisify(execFile)("stty", ["-F", path, ...args])).stdout;

/** A shim on a terminal of its own, and that terminal's path. */
async function startOnTerminal(...flags: string[]): Promise<{ shim: FakeShim; path: string; pid: number }> {
  const shim = new FakeShim(programs, { runner: [programs.path("on-terminal")], flags });
  const [first] = (await once(shim.process.stderr ?? shim.process, "data")) as [Buffer];
  await shim.next("start");
  const path = first.toString().trim();
  const { stdout } = await promisify(execFile)("pgrep", ["-P", String(shim.process.pid)]);
  return { shim, path, pid: Number(stdout) };
}

test("a terminal is raw while the process runs, tells its size, and is as it was afterwards", async () => {
  const { shim, path, pid } = await startOnTerminal("-terminal");
  using _ = shim;
  assert.deepEqual(await shim.next("resize"), { resize: [24, 80] });
  assert.match(await stty(path, "-a"), /-icanon(.|\n)* -echo /);
  await stty(path, "rows", "40");
  assert.deepEqual(await shim.next("resize"), { resize: [40, 80] });

  shim.order({ taking: true });
  shim.process.stdin?.write("\x03");
  assert.deepEqual(await shim.next("stdin"), { stdin: "03" });
  const written = once(shim.process.stdout ?? shim.process, "data");
  shim.order({ output: "stdout", text: "a\nb" });
  assert.equal(String((await written)[0]), "a\nb", "no \\r is put in");

  // A shell that takes the terminal over while the shim is stopped.
  await stty(path, "sane");
  process.kill(pid, "SIGCONT");
  assert.deepEqual(await shim.next("signal"), { signal: 18 });
  // It takes the terminal behind that.
  while (!/ -echo /.test(await stty(path, "-a")));

  shim.order({ exit: 3 });
  assert.equal(await shim.readAll("stderr"), "ended 3 as it was\n");
});

const ways: [what: string, code: number, end: (shim: FakeShim, pid: number) => void][] = [
  ["a lost process", 255, (shim) => shim.order({ lost: "gone" })],
  ["an error of ours", 255, (shim) => shim.order({ crash: true })],
  ["a shim that is refused", 1, (shim) => shim.order({ refused: "no" })],
];
for (const [what, code, end] of ways) {
  test(`${what} leaves the terminal as it was found`, async () => {
    const { shim, path, pid } = await startOnTerminal("-terminal");
    using _ = shim;
    assert.match(await stty(path, "-a"), / -echo /);
    end(shim, pid);
    assert.equal(await shim.readAll("stderr"), `ended ${code} as it was\n`);
  });
}

test("a process without a terminal leaves ours cooked", async () => {
  const { shim, path } = await startOnTerminal();
  using _ = shim;
  assert.match(await stty(path, "-a"), / echo /);
  process.kill(shim.process.pid ?? 0, "SIGWINCH");
  shim.order({ taking: true });
  shim.process.stdin?.write("line\n\x04");
  assert.deepEqual(await shim.next("stdin"), { stdin: Buffer.from("line\n").toString("hex") });
  await shim.next("closeStdin");
  assert.deepEqual(shim.rest, []);
  shim.order({ exit: 0 });
  assert.equal(await shim.readAll("stderr"), "ended 0 as it was\n");
});

test("in the background a shim does not touch the terminal, and in the foreground it goes on", async () => {
  const script = 'set -m; stty -echo; "$@" & read line; stty -a; fg >/dev/null';
  const runner = [programs.path("on-terminal"), "/bin/sh", "-c", script, "sh"];
  using shim = new FakeShim(programs, { runner, flags: ["-terminal"] });
  const stdout = shim.process.stdout ?? assert.fail();
  shim.process.stdin?.write("for the shell\n");
  // The shell shows its terminal while the shim would have it.
  let shown = "";
  while (!shown.includes("extproc")) shown += String((await once(stdout, "data"))[0]);
  assert.match(shown, / icanon /);
  await shim.next("start");
  shim.order({ taking: true });
  shim.process.stdin?.write("k");
  assert.deepEqual(await shim.next("stdin"), { stdin: "6b" });
  shim.order({ exit: 0 });
  assert.match(await shim.readAll("stderr"), /ended 0 changed\n$/);
});

test("a console becomes the shim's terminal, in a session of its own", async () => {
  const holder = spawn(programs.path("on-terminal"), { stdio: ["pipe", "pipe", "pipe"] });
  try {
    const [first] = (await once(holder.stderr, "data")) as [Buffer];
    const path = first.toString().trim();
    using shim = new FakeShim(programs, { flags: ["-console", path, "-terminal"] });
    assert.deepEqual(await shim.next("resize"), { resize: [24, 80] });
    const status = await promisify(execFile)("ps", ["-o", "pid=,sid=,tty=", String(shim.process.pid)]);
    const { pid } = shim.process;
    assert.deepEqual(status.stdout.trim().split(/\s+/), [
      String(pid),
      String(pid),
      path.slice("/dev/".length),
    ]);
    const shown = once(holder.stdout, "data");
    shim.order({ output: "stdout", text: "on the console" });
    assert.equal(String((await shown)[0]), "on the console");
    holder.stdin.write("k");
    assert.deepEqual(await shim.next("stdin"), { stdin: "6b" });
    shim.order({ exit: 4 });
    assert.equal(await shim.ended, 4);
  } finally {
    holder.kill("SIGKILL");
  }
});

test("what is no terminal cannot be the console", async () => {
  using shim = new FakeShim(programs, { flags: ["-console", join(programs.folder, "none")] });
  assert.match(await shim.readAll("stderr"), /^fake-shim: open .*none: No such file or directory\n$/);
  assert.equal(await shim.ended, 1);
  using other = new FakeShim(programs, { flags: ["-console", "/dev/null"] });
  assert.equal(await other.ended, 1);
});

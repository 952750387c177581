import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { parseExitRecord } from "@husk/wire/attach";
import { FakeShim, TestPrograms } from "../../test/support/fake-shim.ts";

const programs = await TestPrograms.build("fake-shim");
after(() => programs.remove());

/** A file's text, as soon as it ends with a newline. */
async function readWhenThere(path: string): Promise<string> {
  for (let attempt = 0; attempt < 3000; attempt++) {
    const text = await readFile(path, "utf8").catch(() => "");
    if (text.endsWith("\n")) return text;
    await setTimeout(20);
  }
  return assert.fail(`${path} did not appear`);
}

test("the exit file is there when the command runs, in a session of its own with nothing of ours", async () => {
  const folder = join(programs.folder, "command");
  await mkdir(folder);
  const [exitFile, out] = [join(folder, "exit.json"), join(folder, "out")];
  // The shell reads its state by itself: while it waits for a program, it has signals blocked of its own accord.
  const script = `{ cat ${exitFile}; echo; ls -l /proc/$$/fd | grep -o ' [0-9]* -> .*'; ps -o sid= -p $$; \
while read -r line; do echo "$line"; done < /proc/$$/status; } > ${out}.new; echo end >> ${out}.new; mv ${out}.new ${out}`;
  const flags = ["-exit-file", exitFile, "-exit-command", JSON.stringify(["/bin/sh", "-c", script])];
  using shim = new FakeShim(programs, { flags: [...flags, "-log-file", join(folder, "log")] });
  shim.order({ exit: 3 });
  assert.equal(await shim.ended, 3);
  const record = parseExitRecord(await readFile(exitFile));
  assert.ok("exitCode" in record && record.exitCode === 3);
  assert.ok(Math.abs(Date.now() - Date.parse(record.time)) < 60_000);
  const [first, ...lines] = (await readWhenThere(out)).trim().split("\n");
  assert.deepEqual(JSON.parse(first ?? ""), record);
  const links = lines.filter((line) => line.includes(" -> ")).map((line) => line.trim());
  for (const fd of [0, 2]) assert.ok(links.includes(`${fd} -> /dev/null`), links.join());
  assert.ok(!links.some((link) => link.includes("socket:") || link.includes("log")), links.join());
  const ours = (await promisify(execFile)("ps", ["-o", "sid=", "-p", String(process.pid)])).stdout;
  const [sid] = lines.filter((line) => /^ *\d+$/.test(line)).map(Number);
  assert.ok(sid !== undefined && sid !== Number(ours) && sid !== shim.process.pid);
  assert.ok(lines.some((line) => /^SigBlk:\s+0+$/.test(line)));
  assert.ok(lines.some((line) => /^SigIgn:\s+0+$/.test(line)));
  assert.deepEqual((await readdir(folder)).sort(), ["exit.json", "log", "out"]);
});

test("a process that is lost is so in the file, and the command runs", async () => {
  const folder = join(programs.folder, "lost");
  await mkdir(folder);
  const [exitFile, out] = [join(folder, "exit.json"), join(folder, "out")];
  const command = JSON.stringify(["/bin/sh", "-c", `echo done > ${out}`]);
  using shim = new FakeShim(programs, { flags: ["-exit-file", exitFile, "-exit-command", command] });
  shim.order({ lost: 'the VM is "gone"\n\0\u001b[2J' });
  assert.equal(await shim.ended, 255);
  const record = parseExitRecord(await readFile(exitFile));
  assert.ok("lost" in record && record.lost === 'the VM is "gone" [2J');
  assert.equal(await readWhenThere(out), "done\n");
});

test("what cannot be written or started is told, and changes nothing else", async () => {
  const flags = ["-exit-file", "/none/exit.json", "-exit-command", '["/none/program"]'];
  using shim = new FakeShim(programs, { flags });
  const stderr = shim.readAll("stderr");
  shim.order({ exit: 6 });
  assert.equal(await shim.ended, 6);
  assert.deepEqual((await stderr).split("\n"), [
    "fake-shim: /none/exit.json: open /none/exit.json.new: No such file or directory",
    "fake-shim: exit command: execve /none/program: No such file or directory",
    "",
  ]);
});

test("a shim that crashes leaves no exit file: its process goes on", async () => {
  const exitFile = join(programs.folder, "crash.json");
  using shim = new FakeShim(programs, { flags: ["-exit-file", exitFile] });
  shim.order({ crash: true });
  assert.equal(await shim.ended, 255);
  await assert.rejects(readlink(exitFile), { code: "ENOENT" });
});

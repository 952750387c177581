import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { detectImageFormat } from "../storage/image-format.ts";
import { identifyProcess } from "../store/process-identity.ts";
import { makeTempRoot } from "../testing/temp-root.ts";
import { canReplacePlaceholder, makePlaceholder } from "./placeholder.ts";
import { REHEARSAL_OUTPUT, rehearsalProgram } from "./rehearsal-program.ts";

const TIB = 2 ** 40;

test("the program to rehearse with says something, and ends well", (t) => {
  const path = join(makeTempRoot(t).base, "program");
  writeFileSync(path, rehearsalProgram(), { mode: 0o755 });
  assert.equal(execFileSync(path, { encoding: "utf8" }), REHEARSAL_OUTPUT);
});

test("a placeholder is a large disk with next to nothing in it, and made once", async (t) => {
  const folder = join(makeTempRoot(t).base, "cache");
  mkdirSync(folder);
  const path = join(folder, "placeholder");
  // What an earlier version left.
  writeFileSync(path, "");
  assert.equal(await makePlaceholder(path), path);
  const { ino, size, blocks, mode } = statSync(path);
  assert.deepEqual({ size, mode: mode & 0o777 }, { size: TIB, mode: 0o600 });
  assert.ok(blocks * 512 < 64 * 1024, `it takes ${blocks} blocks`);
  assert.equal(detectImageFormat(path), "erofs");
  await makePlaceholder(path);
  assert.equal(statSync(path).ino, ino);
  assert.deepEqual(readdirSync(folder), ["placeholder"]);
});

test("what was left by who died while making one goes, and what is being made stays", async (t) => {
  const folder = join(makeTempRoot(t).base, "cache");
  const me = identifyProcess(process.pid);
  const digest = "0123456789abcdef";
  const living = `placeholder-${digest}.${process.pid}-${me?.startTime}-01234567`;
  const dead = [`placeholder.${process.pid}-1-01234567`, `placeholder-${digest}.1-1-01234567`];
  const others = ["placeholder-other.1-1-01234567", "rootfs"];
  for (const name of [living, ...dead, ...others]) mkdirSync(join(folder, name, "root"), { recursive: true });
  const path = join(folder, `placeholder-${digest}`);
  await makePlaceholder(path);
  assert.deepEqual(readdirSync(folder).sort(), [basename(path), living, ...others].sort());
});

test("who is killed while he makes one leaves what the next one clears", async (t) => {
  const { base } = makeTempRoot(t);
  const [bin, path] = [join(base, "bin"), join(base, "placeholder")];
  mkdirSync(bin);
  writeFileSync(join(bin, "mkfs.erofs"), "#!/bin/sh\nkill -9 $PPID\n", { mode: 0o755 });
  const module = JSON.stringify(join(import.meta.dirname, "placeholder.ts"));
  const program = `const { makePlaceholder } = await import(${module}); await makePlaceholder(${JSON.stringify(path)});`;
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
  const { signal } = spawnSync(process.execPath, ["--input-type=module", "-e", program], { env });
  assert.equal(signal, "SIGKILL");
  const names = () => readdirSync(base).filter((name) => name.startsWith("placeholder"));
  assert.match(names().join(), /^placeholder\.\d+-\d+-[0-9a-f]{8}$/);
  await makePlaceholder(path);
  assert.deepEqual(names(), ["placeholder"]);
});

test("without the program that packs it, it is empty", async (t) => {
  const { base } = makeTempRoot(t);
  const path = process.env.PATH;
  t.after(() => {
    process.env.PATH = path;
  });
  process.env.PATH = base;
  await makePlaceholder(join(base, "placeholder"));
  assert.equal(statSync(join(base, "placeholder")).size, TIB);
  assert.equal(detectImageFormat(join(base, "placeholder")), undefined);
});

test("nothing that can be written to takes its place, and no other thing than a file", (t) => {
  const { base } = makeTempRoot(t);
  const imagePath = join(base, "image");
  writeFileSync(imagePath, "");
  mkdirSync(join(base, "folder"));
  assert.ok(canReplacePlaceholder({ imagePath }));
  assert.ok(!canReplacePlaceholder({ imagePath, readOnly: false }));
  for (const name of ["folder", "missing"])
    assert.ok(!canReplacePlaceholder({ imagePath: join(base, name) }));
});

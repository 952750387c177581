import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type ErrorCode, isHuskError } from "@husk/virtcontainers";
import { makeTempDirectory } from "../testing/temp-directory.ts";
import { findCommand, readRequest } from "./command.ts";
import { mergeEnvironments } from "./environment.ts";
import { parseStartupFile } from "./startup-file.ts";

const STARTUP = `
[startup.entry]
name = "core.system"

[startup.entry.args]
name = "/bin/server"
args = ["--say", "a \\"b\\" \\\\ c"]
dir = "/srv"

[startup.entry.args.env]
MODE = "own"
PATH = "/opt"

[startup.other]
name = "core.base"
`;

const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

function throwsWith(code: ErrorCode, why: RegExp, call: () => unknown): void {
  assert.throws(call, (error) => isHuskError(error, code) && why.test(error.message), String(why));
}

test("without an entrypoint the root file system says what runs", (t) => {
  const root = makeTempDirectory(t);
  writeFileSync(join(root, ".startup.toml"), STARTUP);
  assert.deepEqual(findCommand({ entrypoint: "", env: [] }, root), {
    args: ["/bin/server", "--say", 'a "b" \\ c'],
    env: ["PATH=/opt", "MODE=own"],
    cwd: "/srv",
  });
});

test("what the caller says wins over it", (t) => {
  const root = makeTempDirectory(t);
  writeFileSync(join(root, ".startup.toml"), STARTUP);
  const request = { entrypoint: "sh -c 'echo a b'", env: ["MODE=mine", "X=a=b"], cwd: "/tmp" };
  assert.deepEqual(findCommand(request, root), {
    args: ["sh", "-c", "echo a b"],
    env: ["PATH=/opt", "MODE=mine", "X=a=b"],
    cwd: "/tmp",
  });
});

test("a root file system without that file needs an entrypoint", (t) => {
  const root = makeTempDirectory(t);
  const words = ["/bin/echo", "", "# a"];
  assert.deepEqual(findCommand({ entrypoint: words, env: [] }, root), { args: words, env: [PATH], cwd: "/" });
  throwsWith("ERR_ENTRYPOINT_INVALID", /no \.startup\.toml/, () =>
    findCommand({ entrypoint: [], env: [] }, root),
  );
});

test("what cannot be run is refused before there is a root", () => {
  const table: [string | string[], RegExp][] = [
    ["# only a comment", /has no words/],
    ["  ", /has no words/],
    [`"" a`, /first word, the program, is empty/],
    [["", "a"], /is empty/],
    [["a", "b\0"], /NUL/],
    ["a 'b", /ends within '/],
  ];
  for (const [entrypoint, why] of table) {
    throwsWith("ERR_ENTRYPOINT_INVALID", why, () => readRequest({ entrypoint, env: [] }));
  }
  throwsWith("ERR_CONFIG_INVALID", /no absolute path/, () =>
    readRequest({ entrypoint: "a", env: [], cwd: "b" }),
  );
});

test("an environment has each name once, the last value of it, and a PATH", () => {
  assert.deepEqual(mergeEnvironments(["A=1", "B=2"], ["B=3", "A="]), [PATH, "A=", "B=3"]);
  for (const wrong of ["A", "=1", "", "A=\0"]) {
    throwsWith("ERR_CONFIG_INVALID", /^env: /, () => mergeEnvironments([wrong]));
  }
});

test("a .startup.toml that cannot be used is an error, also beside an entrypoint", (t) => {
  const table: [string, RegExp][] = [
    ["[startup", /is no TOML/],
    ["startup = 1", /startup that is no table/],
    ["[startup]\nentry = []", /startup\.entry that is no table/],
    [`[startup.entry.args]\nname = 1`, /args\.name that is no text/],
    [`[startup.entry.args]\nargs = [1]`, /args\.args that is no list/],
    [`[startup.entry.args.env]\nA = 1`, /env\.A that is no text/],
    [`[startup.entry.args]\ndir = "a"`, /no absolute path/],
  ];
  for (const [text, why] of table) {
    const root = makeTempDirectory(t);
    writeFileSync(join(root, ".startup.toml"), text);
    assert.throws(() => findCommand({ entrypoint: "a", env: [] }, root), why, text);
  }
});

test("a .startup.toml that is no plain file is not followed, nor waited for", (t) => {
  const [linked, piped, large] = [makeTempDirectory(t), makeTempDirectory(t), makeTempDirectory(t)];
  symlinkSync("/etc/passwd", join(linked, ".startup.toml"));
  execFileSync("mkfifo", [join(piped, ".startup.toml")]);
  writeFileSync(join(large, ".startup.toml"), "#".repeat(65_537));
  const find = (root: string) => () => findCommand({ entrypoint: "a", env: [] }, root);
  throwsWith("ERR_ENTRYPOINT_INVALID", /is a symbolic link/, find(linked));
  throwsWith("ERR_ENTRYPOINT_INVALID", /is no file/, find(piped));
  throwsWith("ERR_ENTRYPOINT_INVALID", /more than 65536 bytes/, find(large));
});

test("an entry of another job, and keys of no meaning, name no program", () => {
  assert.equal(parseStartupFile(""), undefined);
  assert.equal(parseStartupFile("[startup.other]\nname = 'core.system'"), undefined);
  const other = `[startup.entry]\nname = "core.ping"\n[startup.entry.args]\nname = "/bin/x"`;
  assert.deepEqual(parseStartupFile(other), { args: undefined, env: [], cwd: undefined });
  assert.equal(parseStartupFile("[__proto__.entry]\nname = 'core.system'"), undefined);
});

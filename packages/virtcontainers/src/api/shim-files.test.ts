import assert from "node:assert/strict";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { PodDirectory } from "../store/pod-directory.ts";
import type { PodRecord } from "../store/pod-record.ts";
import { identifyProcess } from "../store/process-identity.ts";
import { makeTempRoot } from "../testing/temp-root.ts";
import type { Cmd, ShimConfig } from "../types/index.ts";
import { clearLeftExits, clearRun, describeShim } from "./shim-files.ts";

const directory = new PodDirectory("/d");
const exitCommand = ["/bin/true"];

function describeFor(
  cmd: Partial<Cmd>,
  more: { isFirst?: boolean; attached?: boolean; ownSession?: boolean } = {},
) {
  const shimConfig: ShimConfig = { path: "/s", exitCommand, log: { maxFiles: 2 } };
  const config = { id: "p", agentType: "kata", proxyType: "kataProxy", shimType: "kataShim", shimConfig };
  const record = { uuid: "u", config } as unknown as PodRecord;
  const shimmed = { containerId: "c", cmd: { args: ["x"], ...cmd }, isFirst: true, attached: false, ...more };
  return describeShim({ record, directory }, shimmed, "token");
}

test("what the process of a shim has for input and output", () => {
  const log = { kind: "logged", path: "/d/containers/c/output.log", config: { maxFiles: 2 } };
  const console = "/dev/pts/7";
  const cases = [
    { start: describeFor({}), stdio: { kind: "inherited", ownSession: false } },
    { start: describeFor({}, { ownSession: true }), stdio: { kind: "inherited", ownSession: true } },
    { start: describeFor({}, { attached: true }), stdio: { kind: "piped", terminal: false } },
    {
      start: describeFor({ interactive: true }, { attached: true }),
      stdio: { kind: "piped", terminal: true },
    },
    { start: describeFor({ console }), stdio: { kind: "console", path: console } },
    { start: describeFor({ console, detach: true }), stdio: { kind: "console", path: console } },
    { start: describeFor({ detach: true }), stdio: { ...log, interactive: false } },
    { start: describeFor({ detach: true, openStdin: true }), stdio: { ...log, interactive: true } },
    { start: describeFor({ detach: true, interactive: true }), stdio: { ...log, interactive: true } },
    { start: describeFor({ detach: true }, { isFirst: false }), stdio: { kind: "none" } },
  ];
  for (const { start, stdio } of cases) {
    assert.deepEqual(start.stdio, stdio);
    assert.deepEqual(start.exitCommand, stdio.kind === "logged" ? exitCommand : undefined);
  }
});

test("shims of one container have files of their own", () => {
  const first = describeFor({ detach: true });
  const other = describeFor({ detach: true }, { isFirst: false });
  assert.equal(first.exitFile, "/d/containers/c/exit.json");
  assert.match(other.exitFile, /^\/d\/containers\/c\/exec-[0-9a-f]+-\d+-\d+\.json$/);
  assert.match(first.attachSocket, /^\/d\/[a-z]+-[0-9a-f]+\.sock$/);
  assert.notEqual(first.attachSocket, other.attachSocket);
});

test("what is left to a caller that has ended goes, and nothing else", (t) => {
  const place = new PodDirectory(makeTempRoot(t).base);
  const me = identifyProcess(process.pid);
  assert.ok(me);
  const [mine, left] = [me, { ...me, startTime: "1" }].map((one) => place.execExitFile("c", "t", one));
  assert.ok(mine && left);
  mkdirSync(dirname(mine), { recursive: true });
  const socket = place.execAttachSocket("c", "t");
  for (const path of [mine, left, socket, place.containerFile("c", "exit")]) writeFileSync(path, "");
  clearLeftExits(place, "c");
  assert.deepEqual(
    [mine, left, socket, place.containerFile("c", "exit")].map((path) => existsSync(path)),
    [true, false, false, true],
  );
  clearLeftExits(place, "other");
});

test("a new run of a container has nothing of the one before", (t) => {
  const place = new PodDirectory(makeTempRoot(t).base);
  clearRun(place, "c");
  const folder = join(place.file("containers"), "c");
  mkdirSync(folder, { recursive: true });
  for (const name of ["exit.json", "output.log", "output.log.1", "exec-1.json"])
    writeFileSync(join(folder, name), "");
  clearRun(place, "c");
  const left = ["exit.json", "output.log", "output.log.1", "exec-1.json"].filter((name) =>
    existsSync(join(folder, name)),
  );
  assert.deepEqual(left, ["exec-1.json"]);
});

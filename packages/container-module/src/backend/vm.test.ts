import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { ContainerName } from "../state/layout.ts";
import { placesOf } from "../state/layout.ts";
import type { CompleteRecord } from "../state/record.ts";
import { vmBackend } from "./vm.ts";

const backend = vmBackend("/opt/husk-vm-runtime");
const directories = { stateRoot: "/s", runRoot: "/r", logRoot: "/l" };

function recordOf(changes: Partial<CompleteRecord> = {}): CompleteRecord {
  return {
    ...{ version: 1, ns: "n", name: "web", flist: "/f", tags: [], mounts: [] },
    log: { maxBytes: 1, maxFiles: 1 },
    restart: { limit: 0, delayMs: 0, stableMs: 0 },
    ...{ backend: backend.record, createdAt: "2026-11-23T00:00:00Z" },
    command: { args: ["sh"], env: [], cwd: "/", root: "/roots/1" },
    ...changes,
  };
}

function commandsOf(name: ContainerName) {
  return backend.commands(placesOf(directories, name), recordOf(name));
}

test("all commands are the runtime's, in one state directory", () => {
  const { runtimeId, exitFile, ...commands } = commandsOf({ ns: "n", name: "web" });
  assert.match(runtimeId, /^web-[0-9a-f]{16}$/);
  assert.equal(exitFile, `/r/vm/pods/${runtimeId}/containers/${runtimeId}/exit.json`);
  const all = [commands.create, commands.start, commands.kill, commands.delete, commands.exec];
  for (const words of [...all, commands.killExec ?? []])
    assert.deepEqual(words.slice(0, 3), ["/opt/husk-vm-runtime", "--root", "/r/vm"]);
  assert.deepEqual(commands.killExec?.slice(-5), ["kill", "--pid-file", "{pidFile}", runtimeId, "{signal}"]);
});

test("every name has an id that a pod can have, and no two have the same", () => {
  const names = ["hyperstart", "a".repeat(76), `${"a".repeat(75)}b`, "x"].flatMap((name) => [
    { ns: "n", name },
    { ns: "m", name },
  ]);
  const ids = names.map((name) => commandsOf(name).runtimeId);
  for (const id of ids) assert.match(id, /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/);
  assert.equal(new Set(ids).size, names.length);
});

test("where husk has its things is told on, and whose state it is is not", (t: TestContext) => {
  const before = { ...process.env };
  t.after(() => {
    process.env = before;
  });
  Object.assign(process.env, { HUSK_CACHE: "/c", HUSK_ROOT: "/x", HUSK_POD: "p", SECRET: "s" });
  const { environment } = commandsOf({ ns: "n", name: "web" });
  assert.ok(environment.includes("HUSK_CACHE=/c"));
  assert.ok(!environment.some((one) => /^(HUSK_ROOT|HUSK_POD|SECRET)=/.test(one)));
});

test("the root is what was unpacked; name servers come only with a network", () => {
  const places = placesOf(directories, { ns: "n", name: "web" });
  const mountsOf = (changes: Partial<CompleteRecord>) =>
    backend
      .specify(places, recordOf(changes))
      .mounts?.filter(({ destination }) => destination === "/etc/resolv.conf");
  assert.deepEqual(backend.specify(places, recordOf()).root, { path: "/roots/1", readonly: false });
  assert.deepEqual(mountsOf({}), []);
  const own = { source: "/f", target: "/etc/resolv.conf" };
  assert.equal(mountsOf({ mounts: [own] })?.length, 1);
});

test("no more processors than the machine has", () => {
  backend.check(recordOf({ cpus: 1 }));
  assert.throws(() => backend.check(recordOf({ cpus: 10_000 })), { code: "ERR_CONFIG_INVALID" });
});

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { buffer, text } from "node:stream/consumers";
import { DEMO_ROOTFS } from "../places.ts";
import { it } from "../vm-test.ts";
import { ModulePlace, type TestedBackend } from "./module-place.ts";
import { endOf, untilDead, untilFile, untilWritten } from "./until.ts";

const SLEEP = ["sleep", "1000"];
const ONCE = { restart: { limit: 0, delayMs: 0, stableMs: 0 } };
/** Restarts that a test can wait for. */
const QUICK = { restart: { limit: 3, delayMs: 50, stableMs: 60_000 } };

/** How containers end: facts 7.7 and 7.8; and what is run in them. */
export function conformEnds(backend: TestedBackend): void {
  it("deleted: one that heeds SIGTERM, one that does not, one that has ended, none, all twice at once", async ({
    signal,
  }) => {
    await using place = new ModulePlace(backend, signal);
    const { ns } = place;
    const module = await place.open();
    const run = (name: string, script: string, options = {}) =>
      module.run(ns, name, DEMO_ROOTFS, [], [], undefined, [], ["sh", "-c", script], options);
    await run("polite", "trap 'echo asked; exit 0' TERM; echo ready; while :; do sleep 0.05; done");
    await run("deaf", "trap '' TERM; echo ready; while :; do sleep 1; done");
    await run("over", "exit 3", ONCE);
    for (const name of ["polite", "deaf"]) await untilWritten(module, ns, name, "ready\n");
    const { ours } = await endOf(module, ns, "over");
    assert.deepEqual([ours.state, ours.exitCode, ours.pid], ["stopped", 3, undefined]);
    const pids = [place.shimPid("polite"), place.shimPid("deaf")];
    const other = await place.open();
    // The grace of one that does not heed it passes; that of one that does begins before it has been asked.
    const graces = { polite: 60_000, deaf: 1000, over: 1000, none: 1000 };
    await Promise.all(
      Object.entries(graces).flatMap(([name, graceMs]) => [
        module.delete(ns, name, { graceMs }),
        other.delete(ns, name, { graceMs }),
      ]),
    );
    assert.match(place.log("polite"), /asked\n$/);
    assert.deepEqual(await module.list(), []);
    assert.deepEqual(place.leftovers(), []);
    for (const pid of pids) await untilDead(pid);
  });

  it("the log stays, a container of the same name goes on in it, and it goes when that is wanted", async ({
    signal,
  }) => {
    await using place = new ModulePlace(backend, signal);
    const { ns } = place;
    const module = await place.open();
    for (const word of ["one", "two"]) {
      await module.run(ns, "web", DEMO_ROOTFS, [], [], undefined, [], ["echo", word], ONCE);
      await endOf(module, ns, "web");
      await module.delete(ns, "web");
    }
    assert.equal(place.log("web"), "one\ntwo\n");
    await module.delete(ns, "web", { removeLog: true });
    assert.ok(!existsSync(`${place.folder}/log/${ns}/web.log`));
  });

  it("it is started again three times, then it has failed, which stays, whoever looks", async ({
    signal,
  }) => {
    await using place = new ModulePlace(backend, signal);
    const { ns } = place;
    const module = await place.open();
    const command = ["sh", "-c", "echo run; exit 5"];
    await module.run(ns, "web", DEMO_ROOTFS, [], [], undefined, [], command, QUICK);
    const { ours } = await endOf(module, ns, "web");
    assert.deepEqual([ours.state, ours.restarts, ours.exitCode], ["failed", 3, 5]);
    assert.match(ours.reason ?? "", /ended 4 times/);
    assert.equal(place.log("web"), "run\n".repeat(4));
    const again = await (await place.open()).inspect(ns, "web");
    assert.deepEqual(again.ours, ours);
    await module.delete(ns, "web");
    // The count is that of the container, not of the name.
    const once = { restart: { ...QUICK.restart, limit: 1 } };
    await module.run(ns, "web", DEMO_ROOTFS, [], [], undefined, [], command, once);
    assert.equal((await endOf(module, ns, "web")).ours.restarts, 1);
    await module.delete(ns, "web");
  });

  it("deleted while it waits to be started again, it is not", async ({ signal }) => {
    await using place = new ModulePlace(backend, signal);
    const { ns } = place;
    const module = await place.open();
    const slow = { restart: { limit: 3, delayMs: 100_000, stableMs: 0 } };
    await module.run(ns, "web", DEMO_ROOTFS, [], [], undefined, [], ["echo", "run"], slow);
    const state = place.file("web", "state.json");
    const isWaiting = async () => (await module.inspect(ns, "web")).ours.state === "restarting";
    if (!(await isWaiting())) await untilFile(state, () => readState(state) === "restarting");
    // A module that begins meanwhile neither forgets nor hurries it.
    assert.equal((await (await place.open()).inspect(ns, "web")).ours.state, "restarting");
    await module.delete(ns, "web");
    assert.equal(place.log("web"), "run\n");
    assert.deepEqual(place.leftovers(), []);
  });

  it("a program in it has its streams, its environment and its exit status", async ({ signal }) => {
    await using place = new ModulePlace(backend, signal);
    const { ns } = place;
    const module = await place.open();
    await module.run(ns, "web", DEMO_ROOTFS, [], ["A=1", "B=2"], undefined, [], SLEEP);
    const script = 'cat; echo "$A-$B-$PWD" >&2; exit 7';
    const options = { env: ["B=3"], cwd: "/usr" };
    using program = await module.exec(ns, "web", ["sh", "-c", script], options);
    const input = Buffer.alloc(300_000, "0123456789");
    program.stdin.end(input);
    const [out, err, end] = await Promise.all([buffer(program.stdout), text(program.stderr), program.wait()]);
    assert.ok(out.equals(input), `${out.length} bytes came back`);
    assert.deepEqual([err, end], ["1-3-/usr\n", { exitCode: 7 }]);
    const typing = "stty -echo; tty; stty size; read line; stty size; exit 8";
    using typist = await module.exec(ns, "web", ["sh", "-c", typing], {
      terminal: { rows: 30, columns: 100 },
    });
    const shown = typist.stdout.iterator({ destroyOnReturn: false });
    assert.equal(await readUntil(shown, "100\r\n"), "/dev/pts/0\r\n30 100\r\n");
    typist.resize({ rows: 50, columns: 200 });
    typist.stdin.write("go\n");
    assert.equal(await readUntil(shown, "200\r\n"), "50 200\r\n");
    assert.deepEqual(await typist.wait(), { exitCode: 8 });
    using sleeper = await module.exec(ns, "web", SLEEP, { timeoutMs: 500 });
    await assert.rejects(sleeper.wait(), { code: "ERR_TIMEOUT" });
    const starting = module.exec(ns, "web", ["/no/such/program"]).then((started) => started.wait());
    await assert.rejects(starting, { code: /ERR_RUNTIME|ERR_PROGRAM_NOT_FOUND/ });
    await assert.rejects(module.exec(ns, "none", SLEEP), { code: "ERR_CONTAINER_NOT_FOUND" });
    using listing = await module.exec(ns, "web", ["ps"]);
    listing.stdin.end();
    assert.doesNotMatch(
      (await text(listing.stdout)).replace(/.* 1 root.*\n/, ""),
      /\n *([2-9]|\d\d+) root +sleep 1000/,
    );
    await module.delete(ns, "web", { graceMs: 0 });
  });
}

/** Reads output until a text has come. */
async function readUntil(output: AsyncIterator<Uint8Array>, wanted: string): Promise<string> {
  let read = "";
  while (!read.endsWith(wanted)) {
    const { value, done } = await output.next();
    assert.ok(!done, `the output has ended: ${JSON.stringify(read)}`);
    read += Buffer.from(value).toString();
  }
  return read;
}

function readState(path: string): string {
  return JSON.parse(readFileSync(path, "utf8")).state;
}

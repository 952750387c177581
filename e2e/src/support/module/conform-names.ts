import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { isHuskError } from "@husk/virtcontainers";
import { DEMO_ROOTFS } from "../places.ts";
import { it } from "../vm-test.ts";
import { ModulePlace, type TestedBackend } from "./module-place.ts";
import { endOf } from "./until.ts";

const SLEEP = ["sleep", "1000"];
const ONCE = { restart: { limit: 0, delayMs: 0, stableMs: 0 } };

/** Names, what is told of containers, what they are started with: facts 7.5, 7.6, 7.11. */
export function conformNames(backend: TestedBackend): void {
  it("what was said of a container is told by every module, with what has become of it", async ({
    signal,
  }) => {
    await using place = new ModulePlace(backend, signal);
    const { ns } = place;
    const module = await place.open();
    const mounts = [{ source: "/usr/share/doc", target: "/doc", type: "bind", options: ["rbind", "ro"] }];
    const id = await module.run(ns, "web", DEMO_ROOTFS, ["a", "b=c"], [], undefined, mounts, "sleep 1000");
    assert.equal(id, "web");
    const other = await place.open();
    const { ours, ...seed } = await other.inspect(ns, id);
    assert.deepEqual(seed, { id, name: "web", flist: DEMO_ROOTFS, tags: ["a", "b=c"], mounts });
    const { state, restarts, args, logPath } = ours;
    assert.deepEqual([state, restarts, args], ["running", 0, SLEEP]);
    assert.equal(logPath, `${place.folder}/log/${ns}/web.log`);
    assert.deepEqual(await other.list(), [await module.inspect(ns, id)]);
    assert.deepEqual(await other.list("other"), []);
    await other.delete(ns, id, { graceMs: 100 });
    await assert.rejects(module.inspect(ns, id), { code: "ERR_CONTAINER_NOT_FOUND" });
    assert.deepEqual(place.leftovers(), []);
  });

  it("of those who run one name at once exactly one does, and the others leave nothing", async ({
    signal,
  }) => {
    await using place = new ModulePlace(backend, signal);
    const { ns } = place;
    const call = ["run", ns, "web", DEMO_ROOTFS, [], [], null, [], SLEEP] as const;
    const exits = [1, 2, 3].map(async () => (await once(place.start({ calls: [call] }), "exit"))[0]);
    const module = await place.open();
    const [own, ...codes] = await Promise.all([
      module.run(ns, "web", DEMO_ROOTFS, [], [], undefined, [], SLEEP).catch((error) => error.code),
      ...exits,
    ]);
    const winners = [own === "web", ...codes.map((code) => code === 0)].filter(Boolean);
    assert.equal(winners.length, 1, JSON.stringify([own, codes]));
    assert.ok(own === "web" || own === "ERR_CONTAINER_EXISTS", own);
    assert.deepEqual(
      (await module.list()).map(({ ours }) => ours.state),
      ["running"],
    );
    await module.delete(ns, "web", { graceMs: 0 });
    assert.deepEqual(place.leftovers(), []);
  });

  it("a name is a namespace's own, and as long as it may be", async ({ signal }) => {
    await using place = new ModulePlace(backend, signal);
    const module = await place.open();
    const name = "n".repeat(76);
    const namespaces = [place.ns, `${place.ns}${"x".repeat(76 - place.ns.length)}`];
    const run = (ns: string) => module.run(ns, name, DEMO_ROOTFS, [], [`NS=${ns}`], undefined, [], SLEEP);
    for (const ns of namespaces) assert.equal(await run(ns), name);
    await assert.rejects(run(place.ns), { code: "ERR_CONTAINER_EXISTS" });
    assert.deepEqual((await module.list()).map(({ ours }) => ours.ns).sort(), [...namespaces].sort());
    await module.delete(place.ns, name, { graceMs: 0 });
    assert.deepEqual(
      (await module.list()).map(({ ours }) => [ours.ns, ours.state]),
      [[namespaces[1], "running"]],
    );
    await module.delete(namespaces[1] ?? "", name, { graceMs: 0 });
    for (const bad of ["", ".", "../x", "a/b", "a..b", "n".repeat(77), "ä"])
      await assert.rejects(
        module.run(bad, "web", DEMO_ROOTFS, [], [], undefined, [], SLEEP),
        { code: "ERR_NAME_INVALID" },
        bad,
      );
  });

  it("a command line has its words, and its environment", async ({ signal }) => {
    await using place = new ModulePlace(backend, signal);
    const { ns } = place;
    const module = await place.open();
    const line = `sh -c 'echo "$1|$2|$A|$PWD"; exit 1' x "a b" c\\ d # not this`;
    const options = { ...ONCE, cwd: "/tmp" };
    await module.run(ns, "one", DEMO_ROOTFS, [], ["A=1", "A=2 3"], undefined, [], line, options);
    const { ours } = await endOf(module, ns, "one");
    assert.equal(place.log("one"), "a b|c d|2 3|/tmp\n");
    // A program that ends with 1 is not one that could not be started.
    assert.deepEqual([ours.state, ours.exitCode], ["stopped", 1]);
    await module.delete(ns, "one");
  });

  it("what cannot be started is an error of run, and leaves nothing", async ({ signal }) => {
    await using place = new ModulePlace(backend, signal);
    const { ns } = place;
    const module = await place.open();
    const wrong: [entrypoint: string | string[], code: RegExp][] = [
      ["", /ERR_ENTRYPOINT_INVALID/],
      ["# nothing", /ERR_ENTRYPOINT_INVALID/],
      ["sh 'never closed", /ERR_ENTRYPOINT_INVALID/],
      ['"" x', /ERR_ENTRYPOINT_INVALID/],
      [["/no/such/program"], /ERR_RUNTIME|ERR_PROGRAM_NOT_FOUND/],
      [["no-such-program"], /ERR_RUNTIME|ERR_PROGRAM_NOT_FOUND/],
      [["/etc"], /ERR_RUNTIME|ERR_PROGRAM_NOT_EXECUTABLE/],
    ];
    for (const [entrypoint, code] of wrong) {
      const error = await module
        .run(ns, "web", DEMO_ROOTFS, [], [], undefined, [], entrypoint)
        .catch((thrown: unknown) => thrown);
      assert.ok(isHuskError(error), `${entrypoint}: ${error}`);
      assert.match(error.code, code, error.message);
      if (entrypoint.includes("no-such-program")) assert.match(error.message, /no-such-program/);
      assert.deepEqual(place.leftovers(), [], `${entrypoint}`);
    }
    assert.deepEqual(readdirSync(`${place.folder}/state/containers`), []);
  });
}

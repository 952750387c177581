import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type ErrorCode, isHuskError } from "@husk/virtcontainers";
import { makeTestNamespace } from "@husk/virtcontainers/testing/test-namespace";
import { packFlist } from "../flist/pack/pack-flist.ts";
import { endOf, ONCE, untilLogged } from "../testing/end-of.ts";
import { BUSYBOX, ModuleBench, needsRuntime } from "../testing/module-bench.ts";
import { RUNTIMES } from "../testing/runtimes.ts";
import type { RunOptions } from "../types.ts";

const NETWORK = undefined;

function has(code: ErrorCode, why: RegExp) {
  return (error: unknown) => {
    assert.ok(isHuskError(error, code), String(error));
    assert.match(error.message, why);
    return true;
  };
}

for (const [runtime, program] of Object.entries(RUNTIMES)) {
  const needs = needsRuntime(program);

  test(`${runtime}: a container runs, is seen by another module, and is deleted`, needs, async (t) => {
    const bench = new ModuleBench(t, program);
    const { ns } = bench;
    const mounts = [{ source: "/usr/share/doc", target: "/new/place", options: ["ro"] }];
    const one = await bench.open();
    const command = ["sh", "-c", "echo out; echo err >&2; echo $A; exec sleep 1000"];
    assert.equal(await one.run(ns, "web", BUSYBOX, ["a", "b=c"], ["A=1 2"], NETWORK, mounts, command), "web");
    await untilLogged(one, ns, "web", "1 2\n");
    const other = await bench.open();
    const { ours, ...info } = await other.inspect(ns, "web");
    assert.deepEqual(info, { id: "web", name: "web", flist: BUSYBOX, tags: ["a", "b=c"], mounts });
    assert.deepEqual([ours.state, ours.restarts, ours.args, ours.backend], ["running", 0, command, "oci"]);
    assert.match(readFileSync(`/proc/${ours.pid}/cmdline`, "utf8"), /^(sh|sleep)\0/);
    assert.deepEqual(
      (await other.list()).map(({ id }) => id),
      ["web"],
    );
    await other.delete(ns, "web", { graceMs: 100 });
    assert.equal(bench.log("web"), "out\nerr\n1 2\n");
    await assert.rejects(one.inspect(ns, "web"), has("ERR_CONTAINER_NOT_FOUND", /"web"/));
    assert.deepEqual(bench.leftovers(), []);
    assert.ok(!existsSync(join(BUSYBOX, "new")), "the root file system was written to");
  });

  test(`${runtime}: names may be those of the files of a cgroup`, needs, async (t) => {
    const bench = new ModuleBench(t, program);
    const module = await bench.open();
    for (const name of ["cgroup.procs", "tasks"]) {
      await module.run(bench.ns, name, BUSYBOX, [], [], NETWORK, [], "sleep 1000");
      assert.equal((await module.inspect(bench.ns, name)).ours.state, "running");
    }
    for (const name of ["cgroup.procs", "tasks"]) await module.delete(bench.ns, name, { graceMs: 0 });
    assert.deepEqual(bench.leftovers(), []);
  });

  test(`${runtime}: a container joins the network namespace that is named`, needs, async (t) => {
    const bench = new ModuleBench(t, program);
    await using namespace = makeTestNamespace();
    const module = await bench.open();
    const command = "sh -c 'readlink /proc/self/ns/net; ls /sys/class/net'";
    const network = { namespace: namespace.name };
    await module.run(bench.ns, "a", BUSYBOX, [], [], network, [], command, ONCE);
    const { network: told } = await endOf(module, bench.ns, "a");
    assert.deepEqual(told, network);
    assert.equal(bench.log("a"), `net:[${statSync(namespace.path).ino}]\nlo\n`);
  });

  test(`${runtime}: a program that is not there is told from one that fails`, needs, async (t) => {
    const bench = new ModuleBench(t, program);
    const module = await bench.open();
    const run = (name: string, command: string) =>
      module.run(bench.ns, name, BUSYBOX, [], [], NETWORK, [], command, ONCE);
    await assert.rejects(run("a", "/no/such"), has("ERR_RUNTIME", /\/no\/such/));
    assert.deepEqual(bench.leftovers(), []);
    assert.ok(!existsSync(join(bench.base, "log", bench.ns)), "a log is left");
    await run("a", "sh -c 'exit 1'");
    const { ours } = await endOf(module, bench.ns, "a");
    assert.deepEqual([ours.state, ours.exitCode], ["stopped", 1]);
  });
}

const needs = needsRuntime(RUNTIMES.runc);

test("a container is confined", needs, async (t) => {
  const bench = new ModuleBench(t, RUNTIMES.runc);
  const module = await bench.open();
  const command = `sh -c 'grep -E "^(CapBnd|CapEff|NoNewPrivs)" /proc/self/status; hostname; pwd; id -u; ulimit -n; mount |
    grep -c " /run "; mknod /dev/x b 8 0 && cat /dev/x; echo 1 > /proc/sys/kernel/panic; ls /proc/acpi'`;
  await module.run(bench.ns, "long-name", BUSYBOX, [], [], NETWORK, [], command, { ...ONCE, cwd: "/tmp" });
  await endOf(module, bench.ns, "long-name");
  const log = bench.log("long-name").split("\n");
  assert.deepEqual(log.slice(0, 8), [
    "CapEff:\t00000000a80425fb",
    "CapBnd:\t00000000a80425fb",
    "NoNewPrivs:\t1",
    "long-name",
    "/tmp",
    "0",
    "1024",
    "0",
  ]);
  assert.match(log.slice(8).join("\n"), /\/dev\/x.*not permitted\n.*panic.*[Rr]ead-only file system/);
});

test("mounts have types and options, and hide name servers that are given otherwise", needs, async (t) => {
  const bench = new ModuleBench(t, RUNTIMES.runc);
  const module = await bench.open();
  const own = join(bench.base, "own");
  mkdirSync(own);
  writeFileSync(join(own, "resolv.conf"), "nameserver 192.0.2.1\n");
  const mounts = [
    { source: own, target: "/data" },
    { source: own, target: "/fixed", type: "bind", options: ["bind", "ro"] },
    { source: "tmpfs", target: "/deep/er/tmp", type: "tmpfs", options: ["size=64k", "nosuid"] },
    { source: join(own, "resolv.conf"), target: "/etc/resolv.conf", options: ["ro"] },
  ];
  const command = `sh -c 'echo a > /data/a; echo b > /fixed/b; grep -E " /(deep|fixed)" /proc/mounts; cat /etc/resolv.conf'`;
  await module.run(bench.ns, "a", BUSYBOX, [], [], NETWORK, mounts, command, ONCE);
  assert.deepEqual((await endOf(module, bench.ns, "a")).mounts, mounts);
  assert.equal(readFileSync(join(own, "a"), "utf8"), "a\n");
  const log = bench.log("a");
  assert.match(log, /\/fixed\/b: Read-only file system/);
  assert.match(log, / \/fixed \w+ ro,/);
  assert.match(log, /^tmpfs \/deep\/er\/tmp tmpfs .*nosuid.*size=64k/m);
  assert.match(log, /^nameserver 192\.0\.2\.1$/m);
});

test(
  "an flist is run by what its .startup.toml says, and two containers share its root",
  needs,
  async (t) => {
    const bench = new ModuleBench(t, RUNTIMES.runc);
    const tree = join(bench.base, "tree");
    mkdirSync(join(tree, "bin"), { recursive: true });
    writeFileSync(join(tree, "bin/busybox"), readFileSync(join(BUSYBOX, "bin/busybox")), { mode: 0o755 });
    symlinkSync("busybox", join(tree, "bin/sh"));
    const startup = `[startup.entry]\nname = "core.system"\n[startup.entry.args]\nname = "/bin/sh"\ndir = "/bin"`;
    const script = `args = ["-c", "echo \\"$A $B $PWD\\"; busybox ls /own; echo x > /own"]\nenv = { A = "1", B = "2" }`;
    writeFileSync(join(tree, ".startup.toml"), `${startup}\n${script}\n`);
    const flist = join(bench.base, "a.fl");
    const store = `dir://${bench.base}/store`;
    await packFlist(tree, flist, { stores: [store] });
    const refused = await bench.open();
    const run = (module: typeof refused, name: string) =>
      module.run(bench.ns, name, flist, [], ["B=3"], NETWORK, [], "", ONCE);
    await assert.rejects(run(refused, "a"), has("ERR_FLIST_STORE_DENIED", /a\.fl/));
    assert.deepEqual(bench.leftovers(), []);
    const module = await bench.open({ allowedStores: [store] });
    for (const name of ["a", "b"]) {
      await run(module, name);
      const { ours } = await endOf(module, bench.ns, name);
      assert.deepEqual([ours.exitCode, ours.args[0]], [0, "/bin/sh"]);
      assert.equal(bench.log(name), "1 3 /bin\nls: /own: No such file or directory\n");
    }
  },
);

test("of concurrent runs of a name one wins, and the losers leave it alone", needs, async (t) => {
  const bench = new ModuleBench(t, RUNTIMES.runc);
  const modules = await Promise.all([bench.open(), bench.open(), bench.open()]);
  const runs = modules.map((module) => module.run(bench.ns, "a", BUSYBOX, [], [], NETWORK, [], "sleep 1000"));
  const results = await Promise.allSettled(runs);
  const lost = results.filter((result) => result.status === "rejected").map(({ reason }) => reason.code);
  assert.deepEqual(lost, ["ERR_CONTAINER_EXISTS", "ERR_CONTAINER_EXISTS"]);
  assert.equal((await modules[0]?.inspect(bench.ns, "a"))?.ours.state, "running");
  const other = `${bench.ns}x`;
  await modules[0]?.run(other, "a", BUSYBOX, [], [], NETWORK, [], "sleep 1000");
  assert.equal((await modules[0]?.list())?.length, 2);
  await modules[0]?.delete(other, "a", { graceMs: 0 });
});

test("what cannot be run is refused, and leaves nothing", needs, async (t) => {
  const bench = new ModuleBench(t, RUNTIMES.runc);
  const { ns } = bench;
  const module = await bench.open();
  const bind = (source: string, target: string) => [{ source, target }];
  const refusals: [ErrorCode, RegExp, () => Promise<unknown>][] = [
    ["ERR_NAME_INVALID", /namespace/, () => module.run("../x", "a", BUSYBOX, [], [], NETWORK, [], "true")],
    ["ERR_NAME_INVALID", /container/, () => module.run(ns, "a/b", BUSYBOX, [], [], NETWORK, [], "true")],
    ["ERR_ENTRYPOINT_INVALID", /ends/, () => module.run(ns, "a", BUSYBOX, [], [], NETWORK, [], "'")],
    ["ERR_ENTRYPOINT_INVALID", /startup/, () => module.run(ns, "a", BUSYBOX, [], [], NETWORK, [], "")],
    ["ERR_CONFIG_INVALID", /^env: /, () => module.run(ns, "a", BUSYBOX, [], ["A"], NETWORK, [], "true")],
    ["ERR_CONFIG_INVALID", /^flist: /, () => module.run(ns, "a", "", [], [], NETWORK, [], "true")],
    ["ERR_ROOTFS_MISSING", /none/, () => module.run(ns, "a", "/none", [], [], NETWORK, [], "true")],
    [
      "ERR_NETWORK_NAMESPACE",
      /\/run\/netns\/none is not there/,
      () => module.run(ns, "a", BUSYBOX, [], [], { namespace: "none" }, [], "true"),
    ],
    [
      "ERR_NETWORK_NAMESPACE",
      /passwd is not a network namespace/,
      () => module.run(ns, "a", BUSYBOX, [], [], { namespace: "/etc/passwd" }, [], "true"),
    ],
    [
      "ERR_CONFIG_INVALID",
      /network\.namespace: "" is neither/,
      () => module.run(ns, "a", BUSYBOX, [], [], { namespace: "" }, [], "true"),
    ],
    [
      "ERR_RUNTIME",
      /cannot be started/,
      () => module.run(ns, "a", BUSYBOX, [], [], { namespace: "/proc/self/ns/ipc" }, [], "true"),
    ],
    [
      "ERR_MOUNT_SOURCE_MISSING",
      /mounts\[0\]\.source: \/none/,
      () => module.run(ns, "a", BUSYBOX, [], [], NETWORK, bind("/none", "/a"), "true"),
    ],
    [
      "ERR_MOUNT_SOURCE_MISSING",
      /mounts\[0\]\.source: \/none/,
      () => {
        const mounts = [{ source: "/none", target: "/a", type: "none", options: ["rbind"] }];
        return module.run(ns, "a", BUSYBOX, [], [], NETWORK, mounts, "true");
      },
    ],
    [
      "ERR_CONFIG_INVALID",
      /mounts\[0\]\.target/,
      () => module.run(ns, "a", BUSYBOX, [], [], NETWORK, bind("/usr", "/a/../.."), "true"),
    ],
    [
      "ERR_CONFIG_INVALID",
      /^cpus: /,
      () => module.run(ns, "a", BUSYBOX, [], [], NETWORK, [], "true", { cpus: 4000 }),
    ],
    [
      "ERR_CONFIG_UNKNOWN_FIELD",
      /options\.memroy; did you mean "memory"/,
      () => module.run(ns, "a", BUSYBOX, [], [], NETWORK, [], "true", { memroy: 1 } as RunOptions),
    ],
    [
      "ERR_CONFIG_INVALID",
      /mounts\[0\]\.options\[0\]: "ro,nosuid" is not one option/,
      () =>
        module.run(
          ns,
          "a",
          BUSYBOX,
          [],
          [],
          NETWORK,
          [{ source: "/usr", target: "/a", options: ["ro,nosuid"] }],
          "true",
        ),
    ],
    [
      "ERR_ABORTED",
      /aborted/,
      () => module.run(ns, "a", BUSYBOX, [], [], NETWORK, [], "true", { signal: AbortSignal.abort() }),
    ],
  ];
  for (const [code, why, call] of refusals) {
    await assert.rejects(call(), has(code, why));
    assert.deepEqual(bench.leftovers(), [], String(why));
  }
});

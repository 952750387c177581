import assert from "node:assert/strict";
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type ContainerModule, packFlist } from "@husk/container-module";
import { TestNetworks, wire } from "../network-namespaces.ts";
import { DEMO_ROOTFS } from "../places.ts";
import { it } from "../vm-test.ts";
import { ModulePlace, type TestedBackend } from "./module-place.ts";
import { endOf } from "./until.ts";

const SLEEP = ["sleep", "1000"];
const ONCE = { restart: { limit: 0, delayMs: 0, stableMs: 0 } };

/** Root file systems, mounts and networks: facts 7.9 and 7.10. */
export function conformRoots(backend: TestedBackend): void {
  it("an flist is the root of many, none of which sees what another writes", async ({ signal }) => {
    await using place = new ModulePlace(backend, signal);
    const { ns } = place;
    const flist = await packRoot(place, '[startup.entry]\nname = "core.system"\n[startup.entry.args]\n');
    const module = await place.open();
    const writer = ["sh", "-c", "echo mine > /etc/mine; exec sleep 1000"];
    await module.run(ns, "one", flist, ["t"], [], undefined, [], writer);
    await module.run(
      ns,
      "two",
      flist,
      [],
      [],
      undefined,
      [],
      ["sh", "-c", "exec 2>&1; ls /etc/mine; ls /bin/sh"],
      ONCE,
    );
    await endOf(module, ns, "two");
    assert.match(place.log("two"), /No such file.*\/bin\/sh\n$/s);
    const { flist: told, tags } = await (await place.open()).inspect(ns, "one");
    assert.deepEqual([told, tags], [flist, ["t"]]);
    for (const id of ["one", "two"]) await module.delete(ns, id, { graceMs: 0 });
    assert.deepEqual(place.leftovers(), []);
  });

  it("what .startup.toml says is run, and the caller wins", async ({ signal }) => {
    await using place = new ModulePlace(backend, signal);
    const { ns } = place;
    const flist = await packRoot(
      place,
      `[startup.entry]
name = "core.system"
[startup.entry.args]
name = "/bin/sh"
args = ["-c", "echo $A-$B-$PWD"]
dir = "/usr"
[startup.entry.args.env]
A = "theirs"
B = "kept"
`,
    );
    const module = await place.open();
    await module.run(ns, "one", flist, [], ["A=ours"], undefined, [], "", ONCE);
    await endOf(module, ns, "one");
    assert.equal(place.log("one"), "ours-kept-/usr\n");
    await module.delete(ns, "one");
  });

  it("what is wrong with an flist is told, and leaves nothing", async ({ signal }) => {
    await using place = new ModulePlace(backend, signal);
    const module = await place.open();
    const good = await packRoot(place, "");
    const [cut, words, other] = ["cut.fl", "words.fl", "tree.xyz"].map((name) => join(place.folder, name));
    cpSync(good, cut ?? "");
    truncateSync(cut ?? "", 5000);
    writeFileSync(words ?? "", "these are words\n");
    writeFileSync(other ?? "", "");
    const wrong: [flist: string, code: RegExp][] = [
      ["", /ERR_CONFIG_INVALID/],
      [`${place.folder}/none.fl`, /ERR_ROOTFS_MISSING/],
      [cut ?? "", /ERR_FLIST_INVALID/],
      [words ?? "", /ERR_FLIST_INVALID/],
      [other ?? "", /ERR_FLIST_INVALID|ERR_ROOTFS_MISSING/],
      ["http://127.0.0.1:9/none.fl", /ERR_ROOTFS_MISSING|ERR_FLIST/],
    ];
    for (const [flist, code] of wrong) await assertRefused(module, place, flist, code);
    // A block that is not what it should be.
    const store = join(place.folder, "store");
    for (const folder of readdirSync(store))
      for (const block of readdirSync(join(store, folder))) truncateSync(join(store, folder, block), 10);
    await assertRefused(module, place, good, /ERR_FLIST_BLOCK/);
  });

  it("mounts are there with their options, and what is missing is an error", async ({ signal }) => {
    await using place = new ModulePlace(backend, signal);
    const { ns } = place;
    const source = join(place.folder, "shared");
    mkdirSync(source);
    writeFileSync(join(source, "hello"), "hello\n");
    const module = await place.open();
    const mounts = [
      { source, target: "/new/rw" },
      { source, target: "/new/ro", options: ["rbind", "ro"] },
      { source: "tmpfs", target: "/new/tmp", type: "tmpfs", options: ["size=64k", "noexec"] },
    ];
    const script =
      "exec 2>&1; cat /new/ro/hello; echo x > /new/ro/x || echo read-only; echo back > /new/rw/back; grep ' /new/tmp ' /proc/mounts";
    await module.run(ns, "one", DEMO_ROOTFS, [], [], undefined, mounts, ["sh", "-c", script], ONCE);
    await endOf(module, ns, "one");
    assert.match(
      place.log("one"),
      /hello\n.*Read-only.*read-only\n[^\n]* \/new\/tmp tmpfs .*noexec.*size=64k/s,
    );
    assert.equal(readFileSync(join(source, "back"), "utf8"), "back\n");
    await module.delete(ns, "one");
    assert.deepEqual(readdirSync(source).sort(), ["back", "hello"]);
    const none = [{ source: `${source}/none`, target: "/x" }];
    const running = module.run(ns, "one", DEMO_ROOTFS, [], [], undefined, none, SLEEP);
    await assert.rejects(running, { code: "ERR_MOUNT_SOURCE_MISSING" });
    assert.deepEqual(place.leftovers(), []);
  });

  it("a network namespace is joined, not made, and stays; one that is not there is an error", async ({
    signal,
  }) => {
    await using networks = new TestNetworks();
    const [here, there] = [networks.add(), networks.add()];
    wire(
      { namespace: here, name: "eth0", addresses: ["10.9.1.1/24"] },
      { namespace: there, name: "eth0", addresses: ["10.9.1.2/24"] },
    );
    await using place = new ModulePlace(backend, signal);
    const { ns } = place;
    const module = await place.open();
    const run = (namespace: string) => module.run(ns, "web", DEMO_ROOTFS, [], [], { namespace }, [], SLEEP);
    await run(here.path);
    const { ours, network } = await module.inspect(ns, "web");
    assert.deepEqual(network, { namespace: here.path });
    if (ours.backend === "oci")
      assert.equal(statSync(`/proc/${ours.pid}/ns/net`).ino, statSync(here.path).ino);
    using process = await module.exec(ns, "web", ["sh", "-c", "ip -o addr; ping -c 1 -W 5 10.9.1.2"]);
    process.stdin.end();
    const [out, { exitCode }] = await Promise.all([text(process.stdout), process.wait()]);
    assert.match(out, /eth0.*10\.9\.1\.1\/24.*1 packets received/s);
    assert.equal(exitCode, 0);
    await module.delete(ns, "web", { graceMs: 0 });
    assert.match(here.ip("-o addr"), /10\.9\.1\.1\/24/);
    for (const wrong of ["/run/netns/none", "none", "/etc/passwd"])
      await assert.rejects(run(wrong), { code: "ERR_NETWORK_NAMESPACE" }, wrong);
    assert.deepEqual(place.leftovers(), []);
  });
}

/** Packs busybox and a .startup.toml. */
async function packRoot(place: ModulePlace, startup: string): Promise<string> {
  const tree = join(place.folder, "tree");
  cpSync(DEMO_ROOTFS, tree, { recursive: true, verbatimSymlinks: true });
  if (startup !== "") writeFileSync(join(tree, ".startup.toml"), startup);
  const flist = join(place.folder, "root.fl");
  await packFlist(tree, flist, { stores: [`dir://${place.folder}/store`] });
  return flist;
}

async function assertRefused(
  module: ContainerModule,
  place: ModulePlace,
  flist: string,
  code: RegExp,
): Promise<void> {
  const running = module.run(place.ns, "web", flist, [], [], undefined, [], SLEEP);
  await assert.rejects(running, (error: { code?: string; message?: string }) => {
    assert.match(`${error.code}`, code, `${flist}: ${error.message}`);
    return true;
  });
  assert.deepEqual(place.leftovers(), [], flist);
}

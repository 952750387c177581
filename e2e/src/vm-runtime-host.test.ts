/** What containers of `husk-vm-runtime` have of the host. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe } from "node:test";
import { destroyTemplates, type OciSpec, statusPod } from "@husk/virtcontainers";
import { needsRoot } from "./support/needs-root.ts";
import { TestNetworks, wire } from "./support/network-namespaces.ts";
import { shell, specOf, VmRuntime } from "./support/vm-runtime.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const LOOP = "trap 'exit 4' TERM; echo up; while :; do sleep 0.1; done";

describe("what a container of husk-vm-runtime has of the host", needsRoot, () => {
  it("directories, files and tmpfs, as its mounts say", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const runtime = new VmRuntime(place);
    const [shared, fixed] = ["shared", "fixed"].map((name) => join(place.folder, name));
    assert.ok(shared && fixed);
    for (const path of [shared, fixed]) mkdirSync(path);
    writeFileSync(join(fixed, "in"), "from the host\n");
    const script =
      "cat /fixed/in /etc/one; echo written > /data/out; touch /fixed/no 2>/dev/null || echo denied; grep -c ' /scratch tmpfs' /proc/mounts";
    const spec = specOf(shell(script), [
      { destination: "/data", type: "bind", source: shared, options: ["rbind", "rw"] },
      { destination: "/fixed", type: "bind", source: fixed, options: ["rbind", "ro", "nosuid"] },
      { destination: "/etc/one", type: "bind", source: join(fixed, "in"), options: ["bind", "ro"] },
      { destination: "/scratch", type: "tmpfs", source: "tmpfs", options: ["size=1m"] },
    ]);
    const box = await runtime.runContainer("box", spec);
    const host = "from the host\n";
    assert.equal((await box.ended).stdout.toString(), `${host}${host}denied\n1\n`);
    assert.equal(readFileSync(join(shared, "out"), "utf8"), "written\n");
    await runtime.do("delete", "box");
  });

  it("the interfaces of its network namespace, and the name servers of a file", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    await using networks = new TestNetworks();
    const [inside, outside] = [networks.add(), networks.add()];
    wire(
      { namespace: inside, name: "eth0", addresses: ["10.77.0.2/24"] },
      { namespace: outside, name: "port", addresses: ["10.77.0.1/24"] },
    );
    const resolvConf = join(place.folder, "resolv.conf");
    writeFileSync(resolvConf, "nameserver 10.77.0.1\nsearch example\n");
    const runtime = new VmRuntime(place);
    const script = "cat /etc/resolv.conf; until echo hello | nc 10.77.0.1 7000; do sleep 0.1; done";
    const options = ["bind", "ro", "nosuid"];
    const mounts = [{ destination: "/etc/resolv.conf", type: "bind", source: resolvConf, options }];
    const before = inside.dump();
    const listen = [`--net=${outside.path}`, "busybox", "nc", "-l", "-p", "7000"];
    const listener = place.startProgram("nsenter", listen);
    listener.child.stdin.end();
    const box = await runtime.runContainer("box", specOf(shell(script), mounts, inside.path));
    await box.stdout.waitFor(/^nameserver 10\.77\.0\.1\nsearch example\n/);
    const { hypervisorPid } = await statusPod("box", place.options);
    assert.equal(readlinkSync(`/proc/${hypervisorPid}/ns/net`), `net:[${statSync(inside.path).ino}]`);
    assert.equal((await listener.ended).stdout.toString(), "hello\n");
    // Nothing is shared for such a file.
    assert.deepEqual(JSON.parse(readFileSync(join(place.root, "pods/box/pod.json"), "utf8")).shares, []);
    await runtime.do("delete", "--force", "box");
    await box.ended;
    assert.deepEqual(inside.dump(), before);
  });

  it("nothing of what a VM cannot have: that is refused by its name", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const runtime = new VmRuntime(place);
    const spec = specOf(shell("true"));
    const { linux = {}, process } = spec;
    const without = (type: string) => linux.namespaces?.filter((one) => one.type !== type) ?? [];
    const missing = { destination: "/x", type: "bind", source: "/nosuch", options: ["rbind"] };
    const cases: [changes: object, text: RegExp][] = [
      [{ process: { ...process, terminal: true } }, /config\.json\.process\.terminal: /],
      [{ process: { ...process, apparmorProfile: "x" } }, /config\.json\.process\.apparmorProfile/],
      [{ linux: { ...linux, namespaces: without("pid") } }, /linux\.namespaces: without "pid"/],
      [{ linux: { ...linux, namespaces: without("network") } }, /linux\.namespaces: without "network"/],
      [{ hooks: { poststop: [{ path: "/bin/true" }] } }, /hooks\.poststop/],
      [{ linux: { ...linux, intelRdt: {} } }, /intelRdt/],
      [{ root: undefined }, /root\.path/],
      [{ root: { path: "nosuch" } }, /nosuch/],
      [{ mounts: [missing] }, /\/nosuch/],
      [specOf(shell("true"), [], "/run/netns/nosuch"), /\/run\/netns\/nosuch is not there/],
      [{ process: { ...process, args: ["/nosuch"] } }, /nosuch/],
    ];
    for (const [changes, text] of cases) {
      const bundle = runtime.writeBundle({ ...spec, ...changes } as OciSpec);
      assert.match(await runtime.fail("create", "--bundle", bundle, "box"), text);
    }
    assert.match(await runtime.fail("create", "--bundle", "/nosuch", "box"), /\/nosuch\/config\.json/);
    const none = runtime.writeProcess(shell("true"));
    assert.match(await runtime.fail("exec", "--process", none, "nosuch"), /nosuch/);
    const blind = runtime.writeProcess({ ...shell("true"), terminal: true });
    const noTerminal = /process\.terminal: a terminal is wanted, and stdin is none/;
    assert.match(await runtime.fail("exec", "--process", blind, "nosuch"), noTerminal);
    assert.match(await runtime.fail("fly", "box"), /unknown command/);
  });

  it("a VM that is a copy, when the environment says so", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const runtime = new VmRuntime(place);
    try {
      for (const id of ["one", "two"]) {
        const box = await runtime.runContainer(id, specOf(shell(LOOP)), { HUSK_FACTORY: "template" });
        await box.stdout.waitFor(/up\n/);
        const console = readFileSync(join(place.root, "pods", id, "console.log"), "utf8");
        assert.equal(console, "", "it has not booted");
        await runtime.do("delete", "--force", id);
        await box.ended;
      }
    } finally {
      await destroyTemplates({}, place.options);
    }
  });
});

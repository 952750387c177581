import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { OciSpec, PodConfig } from "@husk/virtcontainers";
import { readBundle, readProcess } from "./bundle.ts";
import { chooseFactory } from "./choose-factory.ts";
import { ociState } from "./oci-state.ts";
import { podOfBundle } from "./pod-of-bundle.ts";

const NAMESPACES = ["pid", "ipc", "uts", "mount", "network"] as const;
const RESOLV_CONF = "/etc/resolv.conf";

function specOf(changes: Partial<OciSpec> = {}): OciSpec {
  return {
    ociVersion: "1.0.2",
    process: { args: ["sh"], cwd: "/", user: { uid: 1, gid: 2 } },
    root: { path: "rootfs", readonly: true },
    mounts: [{ destination: "/proc", type: "proc", source: "proc" }],
    linux: { namespaces: NAMESPACES.map((type) => ({ type })) },
    ...changes,
  };
}

/** A folder with what stands for the guest. */
function makeFolder(t: TestContext): { folder: string; podOf(spec: OciSpec): PodConfig } {
  const folder = mkdtempSync(join(tmpdir(), "husk-bundle-"));
  const before = { ...process.env };
  t.after(() => {
    process.env = before;
    rmSync(folder, { recursive: true, force: true });
  });
  const guest = join(folder, "guest");
  writeFileSync(guest, "");
  Object.assign(process.env, { HUSK_KERNEL: guest, HUSK_INITRAMFS: guest, HUSK_RESIDENTS: "/residents" });
  return { folder, podOf: (spec) => podOfBundle("box", { path: folder, spec }, {}, {}) };
}

function inNamespace(path: string): Pick<OciSpec, "linux"> {
  const namespaces = NAMESPACES.map((type) => (type === "network" ? { type, path } : { type }));
  return { linux: { namespaces } };
}

test("a bundle becomes a pod with one container, by the Kata agent, its proxy and its shim", (t) => {
  const { folder, podOf } = makeFolder(t);
  const spec = specOf({ hostname: "name", annotations: { a: "b" } });
  const { containers = [], ...pod } = podOf(spec);
  assert.deepEqual(
    [pod.id, pod.hostname, pod.agentType, pod.proxyType, pod.shimType, pod.networkModel],
    ["box", "name", "kata", "kataProxy", "kataShim", "noop"],
  );
  assert.deepEqual(pod.shimConfig, { path: "/residents/kata-shim" });
  assert.deepEqual(pod.annotations, { a: "b", "husk.bundle": folder });
  const [container] = containers;
  assert.equal(container?.rootFs, join(folder, "rootfs"));
  assert.deepEqual(container?.ociSpec, spec);
  assert.equal(container?.podFiles, undefined);
});

test("the network namespace is joined, and its name servers are the pod's", (t) => {
  const { folder, podOf } = makeFolder(t);
  const source = join(folder, "resolv.conf");
  writeFileSync(source, "nameserver 10.0.0.1\n");
  const bind = { destination: RESOLV_CONF, type: "bind", source, options: ["bind", "ro"] };
  const { networkModel, networkConfig, containers } = podOf(specOf({ ...inNamespace("/n"), mounts: [bind] }));
  assert.equal(networkModel, "CNM");
  const dns = { servers: ["10.0.0.1"], search: [], options: [] };
  assert.deepEqual(networkConfig, { netNSPath: "/n", dns });
  assert.deepEqual([containers?.[0]?.ociSpec?.mounts, containers?.[0]?.podFiles], [[], ["resolv.conf"]]);
  // What is written must reach the host, and a file without servers is a file as any other.
  for (const [options, text] of [
    [["bind", "rw"], "nameserver 10.0.0.1\n"],
    [["bind", "ro"], "# none\n"],
  ] as const) {
    writeFileSync(source, text);
    const mounts = [{ ...bind, options: [...options] }];
    const pod = podOf(specOf({ ...inNamespace("/n"), mounts }));
    assert.deepEqual(pod.networkConfig, { netNSPath: "/n" });
    assert.deepEqual(pod.containers?.[0]?.ociSpec?.mounts, mounts);
  }
});

test("what would be the host's matter is refused by its name", (t) => {
  const { podOf } = makeFolder(t);
  const shared = (type: string) => ({
    namespaces: NAMESPACES.filter((one) => one !== type).map((type) => ({ type })),
  });
  const cases: [Partial<OciSpec>, RegExp][] = [
    [{ process: { args: ["sh"], cwd: "/", user: { uid: 0, gid: 0 }, terminal: true } }, /process\.terminal/],
    ...NAMESPACES.map((type): [Partial<OciSpec>, RegExp] => [
      { linux: shared(type) },
      new RegExp(`"${type}"`),
    ]),
    [{ linux: { namespaces: NAMESPACES.map((type) => ({ type, path: "/x" })) } }, /pid namespace \/x/],
    [{ hooks: { createRuntime: [{ path: "/x" }] } }, /hooks\.createRuntime/],
    [{ root: {} }, /root\.path/],
  ];
  for (const [changes, message] of cases) assert.throws(() => podOf(specOf(changes)), { message });
  assert.ok(podOf(specOf({ hooks: { startContainer: [{ path: "/x" }], poststop: [] } })));
});

test("files are read as far as they may be long, and unknown fields are named", (t) => {
  const { folder } = makeFolder(t);
  const path = join(folder, "config.json");
  assert.throws(() => readBundle(folder), { code: "ERR_CONFIG_INVALID", message: /config\.json: .*ENOENT/ });
  writeFileSync(path, JSON.stringify(specOf()));
  assert.deepEqual(readBundle(folder), { path: folder, spec: specOf() });
  writeFileSync(path, JSON.stringify({ ...specOf(), solaris: {} }));
  assert.throws(() => readBundle(folder), {
    code: "ERR_CONFIG_UNKNOWN_FIELD",
    message: /config\.json\.solaris/,
  });
  writeFileSync(path, JSON.stringify({ ...specOf(), linux: { namespaces: "all" } }));
  assert.throws(() => readBundle(folder), { code: "ERR_CONFIG_INVALID", message: /linux\.namespaces/ });
  writeFileSync(path, `"${"x".repeat(5_000_000)}"`);
  assert.throws(() => readBundle(folder), { code: "ERR_CONFIG_INVALID", message: /more than/ });
  writeFileSync(path, JSON.stringify({ args: [], cwd: "/", user: { uid: 0, gid: 0 } }));
  assert.throws(() => readProcess(path), { code: "ERR_CONFIG_INVALID", message: /process\.args/ });
});

test("a bundle says where its VM comes from, else the environment does", () => {
  const annotated = (value: string) => specOf({ annotations: { "husk.factory": value } });
  const cache = { HUSK_FACTORY: "cache", HUSK_CACHE_ENDPOINT: "/s" };
  assert.deepEqual(chooseFactory(specOf(), {}), {});
  assert.deepEqual(chooseFactory(specOf(), { HUSK_FACTORY: "template" }), { factory: "template" });
  assert.deepEqual(chooseFactory(specOf(), cache), { factory: "cache", cacheEndpoint: "/s" });
  assert.deepEqual(chooseFactory(annotated("direct"), { HUSK_FACTORY: "template" }), { factory: "direct" });
  assert.throws(() => chooseFactory(annotated("magic"), {}), { message: /husk\.factory: "magic"/ });
  assert.throws(() => chooseFactory(specOf(), { HUSK_FACTORY: "x" }), { message: /HUSK_FACTORY: "x"/ });
});

test("a container is told as OCI has it", () => {
  const stateOf = (state: "ready" | "running" | "stopped", pid: number) => {
    const annotations = { "husk.bundle": "/b", a: "b" };
    const status = { id: "box", annotations, containersStatus: [{ state, pid }] };
    return ociState(status as unknown as Parameters<typeof ociState>[0]);
  };
  const common = { ociVersion: "1.1.0", id: "box", bundle: "/b", annotations: { a: "b" } };
  assert.deepEqual(stateOf("ready", -1), { ...common, status: "creating" });
  assert.deepEqual(stateOf("ready", 7), { ...common, status: "created", pid: 7 });
  assert.deepEqual(stateOf("running", 7), { ...common, status: "running", pid: 7 });
  assert.deepEqual(stateOf("stopped", 7), { ...common, status: "stopped" });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HuskError } from "../errors/index.ts";
import type { PodConfig } from "../types/index.ts";
import { checkCmd, checkContainerConfig, checkPodConfig } from "./schema.ts";

const container = { id: "c", rootFs: "/srv/root", cmd: { args: ["true"] } };
const full: PodConfig = {
  id: "pod-1",
  hostname: "host",
  vmConfig: { vcpus: 2, memory: 128 },
  hypervisorType: "qemu",
  hypervisorConfig: {
    kernelPath: "/k",
    imagePath: "/i",
    kernelParams: [{ key: "quiet" }, { key: "loglevel", value: "7" }],
    hypervisorMachineType: "microvm",
    debug: true,
  },
  agentType: "hyperstart",
  agentConfig: {},
  proxyType: "noProxy",
  shimType: "noopShim",
  networkModel: "noop",
  volumes: [],
  hooks: { preStartHooks: [{ path: "/bin/true", args: ["true"], env: ["A=b=c"], timeout: 1 }] },
  containers: [
    { ...container, cmd: { args: ["sh"], envs: [{ var: "A", value: "b=c" }], interactive: true } },
  ],
  annotations: { "org.example.key": "value" },
};

function codeOf(action: () => void): string {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof HuskError, String(error));
    return `${error.code}: ${error.message}`;
  }
  return "ok";
}
const check = (changes: object) => codeOf(() => checkPodConfig({ ...full, ...changes }));

test("a full configuration and the least one pass", () => {
  assert.equal(check({}), "ok");
  assert.equal(
    codeOf(() => checkPodConfig({ id: "a" })),
    "ok",
  );
  assert.equal(check({ hostname: undefined }), "ok");
});

test("ids that are no path components and no more are refused", () => {
  for (const id of ["", ".", "..", "../x", "a/b", "a b", "-a", "é", "a".repeat(65), "a\n", 7, null]) {
    assert.match(check({ id }), /^ERR_(ID|CONFIG)_INVALID/, JSON.stringify(id));
  }
  assert.equal(check({ id: "A9_.-".padEnd(64, "x") }), "ok");
  assert.match(check({ containers: [{ ...container, id: "hyperstart" }] }), /^ERR_ID_INVALID/);
});

test("an unknown field is refused at every level, with the nearest name", () => {
  assert.match(
    check({ hostnme: "x" }),
    /^ERR_CONFIG_UNKNOWN_FIELD: unknown field hostnme; did you mean "hostname"\?/,
  );
  assert.match(check({ vmConfig: { mem: 1 } }), /vmConfig\.mem;/);
  const cmd = { args: ["x"], env: [] };
  const nested = check({ containers: [container, { ...container, id: "d", cmd }] });
  assert.match(nested, /containers\[1\]\.cmd\.env; did you mean "envs"\?/);
  assert.match(check({ __proto__x: 1 }), /^ERR_CONFIG_UNKNOWN_FIELD/);
  assert.match(
    codeOf(() => checkPodConfig(JSON.parse('{"id":"a","constructor":1}'))),
    /^ERR_CONFIG_UNKNOWN_FIELD/,
  );
});

test("no structure takes a field that it does not have", () => {
  const hook = { path: "/bin/true", args: ["true"], env: ["A=b"], timeout: 1 };
  const cmd = { args: ["sh"], envs: [{ var: "A", value: "b" }] };
  const configs: Partial<PodConfig>[] = [
    structuredClone(full),
    { hooks: { preStartHooks: [hook] } },
    { hooks: { postStartHooks: [hook] } },
    { hooks: { postStopHooks: [hook] } },
    { proxyConfig: { path: "/p" } },
    { networkConfig: { netNSPath: "/n" } },
    { volumes: [{ mountTag: "t", hostPath: "/v" }] },
    { containers: [{ ...container, cmd }] },
    { containers: [{ ...container, cmd: { ...cmd, capabilities: { bounding: [] } } }] },
    { containers: [{ ...container, mounts: [{ source: "/a", destination: "/b" }] }] },
    { containers: [{ ...container, deviceInfos: [{ hostPath: "/dev/null" }] }] },
  ];
  const structures = new Set<string>();
  const visit = (config: object, value: unknown, at: string) => {
    if (typeof value !== "object" || value === null || at === ".annotations") return;
    for (const [key, inner] of Object.entries(value)) visit(config, inner, `${at}.${key}`);
    if (Array.isArray(value)) return;
    const holder = value as Record<string, unknown>;
    // First, so that a field that is not supported yet is not told before.
    const fields = { ...holder };
    for (const key of Object.keys(holder)) delete holder[key];
    Object.assign(holder, { surprise: 1, ...fields });
    const told = codeOf(() => checkPodConfig({ ...config, id: "pod" }));
    assert.match(told, /^ERR_CONFIG_UNKNOWN_FIELD: .*surprise/, at);
    delete holder.surprise;
    structures.add(at.replaceAll(/\.\d+/g, "[]"));
  };
  for (const config of configs) visit(config, config, "");
  assert.ok(structures.size >= 18, [...structures].join(" "));
});

test("wrong types and values are refused by the name of the field", () => {
  assert.match(
    check({ vmConfig: { memory: "128" } }),
    /^ERR_CONFIG_INVALID: vmConfig\.memory: must be a whole number/,
  );
  assert.match(check({ vmConfig: { vcpus: 0 } }), /vmConfig\.vcpus: must be from 1/);
  assert.match(check({ containers: {} }), /containers: must be an array/);
  assert.match(check({ annotations: { a: 1 } }), /annotations\["a"\]/);
  assert.match(
    codeOf(() => checkContainerConfig({ id: "c", rootFs: "/r" })),
    /cmd: is missing/,
  );
  assert.match(
    codeOf(() => checkCmd({ args: [] })),
    /args: must not be empty/,
  );
  assert.match(
    codeOf(() => checkCmd({ args: ["a\0b"] })),
    /NUL/,
  );
  assert.match(
    codeOf(() => checkCmd({ args: ["a"], envs: [{ var: "A=B", value: "" }] })),
    /must not hold "="/,
  );
  assert.match(
    codeOf(() => checkPodConfig(null)),
    /^ERR_CONFIG_INVALID/,
  );
});

test("a hook needs an absolute path and variables with names", () => {
  const checkHook = (changes: object) =>
    check({ hooks: { postStopHooks: [{ path: "/bin/true", ...changes }] } });
  assert.equal(checkHook({ env: ["A="] }), "ok");
  assert.match(checkHook({ path: "true" }), /hooks\.postStopHooks\[0\]\.path: must be absolute/);
  for (const variable of ["A", "=b", ""])
    assert.match(checkHook({ env: [variable] }), /env\[0\]: must be NAME/);
  assert.match(checkHook({ timeout: -1 }), /timeout: must be from 0/);
});

test("a kind that nobody knows is refused", () => {
  assert.match(check({ agentType: "nonsense" }), /^ERR_CONFIG_INVALID: agentType: unknown kind/);
});

test("volumes have mount tags that a device can tell, each its own", () => {
  const volume = (mountTag: string) => ({ mountTag, hostPath: "/x" });
  assert.equal(check({ volumes: [volume("t"), volume("a.b_c-1")] }), "ok");
  for (const tag of ["", "a b", "../x", "x".repeat(32), "huskShared"]) {
    assert.match(check({ volumes: [volume(tag)] }), /^ERR_CONFIG_INVALID: volumes\[0\].mountTag/, tag);
  }
  assert.match(check({ volumes: [volume("t"), volume("t")] }), /^ERR_CONFIG_INVALID: volumes: two/);
});

test("what the library of old filled in itself may be empty, but not be given", () => {
  const mount = { source: "/a", destination: "/b", type: "bind" };
  const withMount = (more: object) =>
    check({ containers: [{ ...container, mounts: [{ ...mount, ...more }] }] });
  assert.equal(withMount({ hostPath: "" }), "ok");
  assert.match(withMount({ hostPath: "/x" }), /mounts\[0\].hostPath: is not for the caller to set/);
  const withDevice = (more: object) => check({ containers: [{ ...container, deviceInfos: [more] }] });
  assert.equal(withDevice({ hostPath: "/dev/null", hotplugged: false, id: "" }), "ok");
  assert.match(withDevice({ hotplugged: true }), /deviceInfos\[0\].hotplugged: is not for/);
  assert.match(withDevice({ devType: "x" }), /deviceInfos\[0\].devType: unknown kind/);
});

test("two containers of one id are refused", () => {
  assert.match(check({ containers: [container, container] }), /^ERR_CONTAINER_EXISTS/);
});

test("no value at all gives anything but a HuskError", () => {
  fc.assert(
    fc.property(fc.anything(), fc.constantFrom(...Object.keys(full)), (value, field) => {
      codeOf(() => checkPodConfig(value));
      codeOf(() => checkPodConfig({ ...full, [field]: value }));
    }),
  );
});

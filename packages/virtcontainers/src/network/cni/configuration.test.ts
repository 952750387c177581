import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isHuskError } from "../../errors/index.ts";
import { hasCapability, isLoopback, nameIn, parseNetworkList, programsOf } from "./configuration.ts";

const parse = (value: unknown) => parseNetworkList(JSON.stringify(value), "/etc/x.conf");

function refuses(value: unknown, message: RegExp): void {
  assert.throws(() => parse(value), { code: "ERR_CNI_CONFIG", message });
}

const GOOD = { cniVersion: "1.0.0", name: "net", plugins: [{ type: "bridge" }] };

test("a list is taken as it is, a single plugin as a list of one", () => {
  const list = parse({
    ...GOOD,
    disableCheck: "true",
    plugins: [{ type: "bridge", mtu: 1400 }, { type: "a" }],
  });
  assert.deepEqual(list, {
    name: "net",
    cniVersion: "1.0.0",
    disableCheck: true,
    plugins: [{ type: "bridge", mtu: 1400 }, { type: "a" }],
  });
  const single = { cniVersion: "0.3.1", name: "one", type: "ptp", ipam: { type: "host-local" } };
  assert.deepEqual(parse(single), {
    name: "one",
    cniVersion: "0.3.1",
    disableCheck: false,
    plugins: [single],
  });
});

test("all versions with lists of plugins are spoken, others are refused by name", () => {
  for (const cniVersion of ["0.3.0", "0.3.1", "0.4.0", "1.0.0"]) {
    assert.equal(parse({ ...GOOD, cniVersion }).cniVersion, cniVersion);
  }
  for (const cniVersion of ["0.1.0", "0.2.0", "1.1.0", "2.0.0", "nonsense"]) {
    refuses(
      { ...GOOD, cniVersion },
      new RegExp(`x.conf: cniVersion: "${cniVersion}" is not supported; .*1\\.0\\.0`),
    );
  }
  refuses({ ...GOOD, cniVersion: undefined }, /cniVersion: is missing/);
  refuses({ ...GOOD, cniVersion: 1 }, /cniVersion: 1 is not supported/);
});

test("a wrong value is refused with the place where it stands", () => {
  refuses([], /^\/etc\/x\.conf: must be a JSON object$/);
  refuses({ ...GOOD, name: undefined }, /name: is missing/);
  for (const name of ["", "-a", "a/b", "../x", "a b", 7, "x".repeat(129)]) {
    refuses({ ...GOOD, name }, /name: must be 1 to 128 letters/);
  }
  refuses({ ...GOOD, disableCheck: 1 }, /disableCheck: must be true or false, not 1/);
  refuses({ ...GOOD, plugins: [] }, /plugins: must be a list, and not empty/);
  refuses({ ...GOOD, plugins: {} }, /plugins: must be a list/);
  refuses({ ...GOOD, plugins: Array(65).fill({ type: "a" }) }, /plugins: must not be more than 64/);
  refuses({ ...GOOD, plugins: [{ type: "a" }, "b"] }, /plugins\[1\]: must be an object/);
  refuses({ ...GOOD, plugins: [{}] }, /plugins\[0\]: type: is missing/);
  for (const type of ["", "..", "../sh", "/bin/sh", "a b", 1, null]) {
    refuses({ ...GOOD, plugins: [{ type }] }, /plugins\[0\]: type: must be the name of a plugin/);
  }
  refuses({ ...GOOD, plugins: [{ type: "a", ipam: [] }] }, /ipam: must be an object/);
  refuses({ ...GOOD, plugins: [{ type: "a", ipam: { type: "../x" } }] }, /ipam\.type: must be the name/);
  refuses({ ...GOOD, plugins: [{ type: "a", capabilities: true }] }, /capabilities: must be an object/);
  assert.throws(() => parseNetworkList("{", "f"), { code: "ERR_CNI_CONFIG", message: /^f: is not JSON: / });
});

test("any JSON is taken or refused, never anything else", () => {
  const field = fc.oneof(fc.jsonValue(), fc.constantFrom("1.0.0", "net", "bridge"));
  const record = fc.record(
    {
      name: field,
      cniVersion: field,
      disableCheck: field,
      plugins: fc.oneof(field, fc.array(field)),
      type: field,
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), record), (value) => {
      try {
        assert.ok(parse(value).plugins.every(({ type }) => typeof type === "string"));
      } catch (error) {
        assert.ok(isHuskError(error, "ERR_CNI_CONFIG"), String(error));
      }
    }),
  );
});

test("what a plugin is, and needs, is told from its configuration", () => {
  const [plugin] = parse({
    ...GOOD,
    plugins: [
      { type: "bridge", ipam: { type: "host-local" }, capabilities: { portMappings: true, dns: false } },
    ],
  }).plugins;
  assert.ok(plugin);
  assert.deepEqual(programsOf(plugin), ["bridge", "host-local"]);
  assert.deepEqual(programsOf({ type: "bridge", ipam: {} }), ["bridge"]);
  assert.ok(hasCapability(plugin, "portMappings"));
  assert.ok(!hasCapability(plugin, "dns") && !hasCapability(plugin, "toString"));
  assert.ok(isLoopback(parse({ ...GOOD, plugins: [{ type: "loopback" }] })));
  assert.ok(!isLoopback(parse({ ...GOOD, plugins: [{ type: "loopback" }, { type: "bridge" }] })));
});

test("the name is found also in a configuration that is refused", () => {
  assert.equal(nameIn('{"name":"net","plugins":7}'), "net");
  assert.equal(nameIn('{"name":7}'), undefined);
  assert.equal(nameIn("nonsense"), undefined);
});

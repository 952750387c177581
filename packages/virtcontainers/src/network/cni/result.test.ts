import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isHuskError } from "../../errors/index.ts";
import { dnsOf, excerptOf, parseResult } from "./result.ts";

const parse = (value: unknown, version = "1.0.0") =>
  parseResult(JSON.stringify(value), version, "the plugin");

const GOOD = {
  cniVersion: "1.0.0",
  interfaces: [{ name: "br0" }, { name: "eth0", mac: "02:00:00:00:00:01", sandbox: "/run/netns/x" }],
  ips: [
    { interface: 1, address: "10.0.0.2/24", gateway: "10.0.0.1" },
    { interface: 1, address: "fd00::2/64" },
  ],
  routes: [{ dst: "0.0.0.0/0" }, { dst: "::/0", gw: "fd00::1" }],
  dns: { nameservers: ["10.0.0.1"], domain: "a.example", search: ["b.example"], options: ["ndots:1"] },
};

test("a result is taken as it came", () => {
  assert.deepEqual(parse(GOOD), GOOD);
  assert.deepEqual(parse({ ...GOOD, more: { of: "its own" } }), { ...GOOD, more: { of: "its own" } });
  assert.deepEqual(parse({ cniVersion: "0.3.1", ips: null, routes: null, dns: {} }, "0.3.1").ips, null);
  assert.deepEqual(parse({}, "0.4.0"), { cniVersion: "0.4.0" });
});

test("its name servers and domains are found", () => {
  assert.deepEqual(dnsOf(parse(GOOD)), {
    servers: ["10.0.0.1"],
    search: ["a.example", "b.example"],
    options: ["ndots:1"],
  });
  assert.deepEqual(dnsOf(parse({})), { servers: [], search: [], options: [] });
  const local = { dns: { domain: "b.example", search: ["a.example", "b.example"] } };
  assert.deepEqual(dnsOf(parse(local)).search, ["a.example", "b.example"]);
});

test("nonsense is refused, with what is wrong and what was printed", () => {
  const refuses = (value: unknown, message: RegExp, version = "1.0.0") =>
    assert.throws(() => parse(value, version), { code: "ERR_CNI_RESULT", message });
  refuses([], /^the plugin gave a wrong result: it is no object; it printed: \[\]$/);
  refuses({ cniVersion: "0.4.0" }, /cniVersion is 0\.4\.0, not 1\.0\.0 as asked/);
  refuses({ interfaces: {} }, /interfaces is no list/);
  refuses({ interfaces: [1] }, /interfaces\[0\] is no object/);
  for (const name of [undefined, "", "a/b", "with space", "longer-than-fifteen", 3]) {
    refuses({ interfaces: [{ name }] }, /interfaces\[0\]\.name is no name/);
  }
  refuses({ interfaces: [{ name: "a", mac: "no" }] }, /interfaces\[0\]\.mac is no hardware address/);
  refuses({ interfaces: [{ name: "a", sandbox: 1 }] }, /interfaces\[0\]\.sandbox is no text/);
  for (const address of [
    undefined,
    "10.0.0.1",
    "10.0.0.1/33",
    "10.0.0/8",
    "::1/129",
    "::1/",
    "x/8",
    "10.0.0.1/8/8",
  ]) {
    refuses({ ips: [{ address }] }, /ips\[0\]\.address is no address with/);
  }
  refuses({ ips: [{ address: "10.0.0.1/8", gateway: "x" }] }, /ips\[0\]\.gateway is no address/);
  for (const index of [0, -1, 1.5, "0"]) {
    refuses({ ips: [{ address: "10.0.0.1/8", interface: index }] }, /ips\[0\]\.interface is no index/);
  }
  refuses({ ips: [{ address: "10.0.0.1/8", version: "6" }] }, /ips\[0\]\.version does not fit/, "0.3.1");
  refuses({ routes: [{ dst: "default" }] }, /routes\[0\]\.dst is no address with/);
  refuses({ routes: [{ dst: "10.0.0.0/8", gw: "y" }] }, /routes\[0\]\.gw is no address/);
  refuses({ routes: Array(4097).fill({ dst: "10.0.0.0/8" }) }, /routes has more than 4096 values/);
  refuses({ dns: { nameservers: ["localhost"] } }, /dns\.nameservers\[0\] is no address/);
  refuses({ dns: { search: [""] } }, /dns\.search\[0\] is no text/);
});

test("what is no JSON is shown by its beginning, fit for a terminal", () => {
  const refuses = (text: string, message: RegExp) =>
    assert.throws(() => parseResult(text, "1.0.0", "the plugin"), { code: "ERR_CNI_RESULT", message });
  refuses("", /it is not JSON; it printed nothing$/);
  refuses("\u001b[31mred\n alert", /it is not JSON; it printed: red alert$/);
  refuses("x".repeat(5000), /it printed: x{200}…$/);
  assert.equal(excerptOf(" a\n\t b "), "a b");
});

test("any JSON is taken or refused, never anything else", () => {
  const value = fc.oneof(fc.jsonValue(), fc.constantFrom("10.0.0.1/8", "eth0", "1.0.0", 0));
  const part = fc.oneof(
    value,
    fc.array(fc.dictionary(fc.constantFrom("name", "address", "interface", "dst", "gw", "mac"), value)),
  );
  const keys = fc.constantFrom("cniVersion", "interfaces", "ips", "routes", "dns");
  fc.assert(
    fc.property(fc.dictionary(keys, part), (result) => {
      try {
        dnsOf(parse(result));
      } catch (error) {
        assert.ok(isHuskError(error, "ERR_CNI_RESULT"), String(error));
      }
    }),
  );
});

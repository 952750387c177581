import assert from "node:assert/strict";
import { isIP } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import {
  Family,
  formatAddress,
  maskOf,
  networkAddress,
  parseAddress,
  parseNetwork,
  parsePrefix,
} from "./ip-address.ts";

const shown = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

test("addresses of both families are read", () => {
  for (const [text, bytes] of [
    ["10.0.0.255", "0a0000ff"],
    ["::", "0".repeat(32)],
    ["::1", `${"0".repeat(31)}1`],
    ["fd00:1::A:b", "fd0000010000000000000000000a000b"],
    ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008"],
    ["1::", `0001${"0".repeat(28)}`],
    ["::ffff:10.1.2.3", "00000000000000000000ffff0a010203"],
  ] as const) {
    assert.equal(shown(parseAddress(text).bytes), bytes, text);
  }
});

test("node:net and we agree what an address is", () => {
  const part = fc.constantFrom("0", "1", "12", "255", "256", "01", "", "ffff", "12345", "g", "1.2.3.4", " 1");
  const candidate = fc
    .tuple(fc.array(part, { maxLength: 9 }), fc.constantFrom(".", ":", "::"))
    .map(([parts, sign]) => parts.join(sign));
  fc.assert(
    fc.property(fc.oneof(candidate, fc.ipV4(), fc.ipV6(), fc.string()), (text) => {
      // A zone belongs to one machine's interfaces; nobody means it here.
      fc.pre(!text.includes("%"));
      let family = 0;
      try {
        family = parseAddress(text).family === Family.INET ? 4 : 6;
      } catch (error) {
        assert.equal((error as Error).name, "AddressError");
      }
      assert.equal(family, isIP(text), text);
    }),
    { numRuns: 2000 },
  );
});

test("addresses are written as they are read, without the longest row of zeros", () => {
  for (const text of ["10.0.0.255", "::", "::1", "1::", "1:0:2::3", "2001:db8::1:0:0:1", "1:2:3:4:5:6:7:0"]) {
    assert.equal(formatAddress(parseAddress(text)), text);
  }
  const group = fc.constantFrom(0, 0, 0, 1, 0x10, 0x100, 0xffff);
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
      const bytes = Uint8Array.from(groups.flatMap((one) => [one >> 8, one & 0xff]));
      const text = formatAddress({ family: Family.INET6, bytes });
      // The URL parser writes addresses as RFC 5952 has them.
      assert.equal(
        `[${text}]`,
        new URL(`http://[${groups.map((one) => one.toString(16)).join(":")}]`).hostname,
      );
      assert.deepEqual(parseAddress(text).bytes, bytes);
    }),
  );
});

test("masks are numbers of bits, or for IPv4 addresses", () => {
  for (const [text, prefix] of [
    ["", 32],
    ["0", 0],
    ["32", 32],
    ["255.255.255.0", 24],
    ["0.0.0.0", 0],
    ["255.255.255.255", 32],
    ["128.0.0.0", 1],
  ] as const) {
    assert.equal(parsePrefix(text, Family.INET), prefix, text);
  }
  assert.equal(parsePrefix("", Family.INET6), 128);
  assert.equal(parsePrefix("64", Family.INET6), 64);
  for (const bad of ["33", "-1", "255.0.255.0", "1.2.3.4", "x", "1e1"]) {
    assert.throws(() => parsePrefix(bad, Family.INET), { name: "AddressError" }, bad);
  }
  for (const bad of ["129", "255.255.255.0", "ffff::"]) {
    assert.throws(() => parsePrefix(bad, Family.INET6), { name: "AddressError" }, bad);
  }
});

test("a network has the bits that count, and no others", () => {
  assert.equal(shown(networkAddress(parseNetwork("10.1.2.3/20"))), "0a010000");
  assert.equal(shown(networkAddress(parseNetwork("fd00::ff/121"))), `fd${"0".repeat(28)}80`);
  fc.assert(
    fc.property(fc.ipV4(), fc.nat(32), (address, prefix) => {
      const network = parseNetwork(`${address}/${prefix}`);
      const mask = shown(maskOf(network));
      assert.equal(parsePrefix([...maskOf(network)].join("."), Family.INET), prefix, mask);
    }),
  );
});

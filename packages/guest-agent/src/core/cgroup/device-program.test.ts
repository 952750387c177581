import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type DeviceAsk, runDeviceProgram } from "../../../test/support/device-machine.ts";
import { compileDeviceRules } from "./device-program.ts";
import { type DeviceRule, readDeviceRules } from "./device-rules.ts";

/** What the rules say, one use after the other. */
function judge(rules: readonly DeviceRule[], ask: DeviceAsk): number {
  const uses = [1, 2, 4].filter((use) => ask.uses & use);
  const allowed = uses.every((use) => {
    const rule = rules.findLast(
      ({ kind = ask.kind, major = ask.major, minor = ask.minor, uses }) =>
        kind === ask.kind && major === ask.major && minor === ask.minor && (uses & use) !== 0,
    );
    return rule?.allow ?? false;
  });
  return allowed ? 1 : 0;
}

const number = fc.integer({ min: 0, max: 3 });
const uses = fc.integer({ min: 1, max: 7 });
const kind = fc.constantFrom(1, 2);
const rule = fc.record(
  { allow: fc.boolean(), uses: fc.oneof(uses, fc.constant(7)), kind, major: number, minor: number },
  { requiredKeys: ["allow", "uses"] },
);
const ask = fc.record({ kind, major: number, minor: number, uses });

const wire = (text: string) => {
  const [verb, Type = "", major = "*", minor = "*", Access = ""] = text.split(/[ :]/);
  const id = (word: string) => (word === "*" ? -1n : BigInt(word));
  return { Allow: verb === "allow", Type, Major: id(major), Minor: id(minor), Access };
};
const compile = (...rules: string[]) => compileDeviceRules(readDeviceRules(rules.map(wire)));
const [MKNOD, READ, WRITE] = [1, 2, 4];
const character = (major: number, minor: number, uses: number) => ({ kind: 2, major, minor, uses });
const block = (major: number, minor: number, uses: number) => ({ kind: 1, major, minor, uses });

describe("a program for devices", () => {
  it("says what the rules say", () => {
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 12 }), fc.array(ask, { minLength: 20 }), (rules, asks) => {
        const program = compileDeviceRules(rules);
        for (const one of asks) assert.equal(runDeviceProgram(program, one), judge(rules, one));
      }),
    );
  });

  it("denies by default, but for what every container needs", () => {
    for (const program of [compile(), compile("deny a *:* rwm")]) {
      assert.equal(runDeviceProgram(program, character(1, 3, READ | WRITE)), 1, "null");
      assert.equal(runDeviceProgram(program, character(136, 77, READ | WRITE)), 1, "a terminal");
      assert.equal(runDeviceProgram(program, block(8, 0, MKNOD)), 1);
      assert.equal(runDeviceProgram(program, block(8, 0, READ)), 0);
      assert.equal(runDeviceProgram(program, character(1, 1, READ)), 0, "mem");
    }
  });

  it("allows what is asked for, and no more", () => {
    const program = compile("deny a *:* rwm", "allow b 8:0 r", "allow c 10:* rw");
    assert.equal(runDeviceProgram(program, block(8, 0, READ)), 1);
    assert.equal(runDeviceProgram(program, block(8, 0, READ | WRITE)), 0);
    assert.equal(runDeviceProgram(program, block(8, 1, READ)), 0);
    assert.equal(runDeviceProgram(program, character(10, 200, READ | WRITE)), 1);
  });

  it("needs no instruction that the kernel would never reach", () => {
    const all = compile("deny b 8:0 rwm", "allow a *:* rwm");
    assert.equal(runDeviceProgram(all, character(1, 1, READ)), 1);
    assert.equal(all.length, compile("allow a *:* rwm").length);
  });

  it("is not made of rules that are none", () => {
    assert.throws(() => compile("allow x 1:2 r"), /Devices.Type is "x": it must be "a", "b" or "c"/);
    assert.throws(() => compile("allow c 1:2 rx"), /Devices.Access is "rx"/);
    assert.throws(() => compile("allow c 4096:2 r"), /Devices.Major is 4096: it must be -1 to 4095/);
    assert.throws(() => compile("allow c 1:-2 r"), /Devices.Minor is -2/);
    assert.throws(() => compile(...Array.from({ length: 1000 }, () => "allow c 1:2 r")), /rules for devices/);
  });
});

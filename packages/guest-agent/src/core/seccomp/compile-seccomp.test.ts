import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LinuxSeccomp } from "@husk/wire/kata";
import { decodeMessage, encodeMessage, type MessageInit } from "@husk/wire/protobuf";
import fc from "fast-check";
import { runFilter, type SystemCall, X86, X86_64 } from "../../../test/support/filter-machine.ts";
import { compileSeccomp } from "./compile-seccomp.ts";
import { type Abi, findSyscalls } from "./syscall-numbers.ts";

/** All numbers of a way into the kernel. */
function syscallNumbers(abi: Abi): Map<string, number> {
  const all = new Map<string, number>();
  findSyscalls(
    () => true,
    (name, numbers) => {
      const number = numbers[abi];
      if (number !== undefined) all.set(name, number);
    },
  );
  return all;
}

const [KILL, KILL_PROCESS, TRAP, ERRNO, TRACE, LOG, ALLOW] = [
  0, 0x80000000, 0x30000, 0x50000, 0x7ff00000, 0x7ffc0000, 0x7fff0000,
];
const [EPERM, ENOSYS, X32_BIT] = [1, 38, 0x40000000];

type Init = MessageInit<LinuxSeccomp>;
const message = (init: Init) => decodeMessage(LinuxSeccomp, encodeMessage(LinuxSeccomp, init));
const compile = (init: Init) => compileSeccomp(message(init)).instructions;
const NONE = [0n, 0n, 0n, 0n, 0n, 0n];
const call = (number: number, ...args: bigint[]): SystemCall => ({
  number,
  arch: X86_64,
  args: [...args, ...NONE].slice(0, 6),
});
const answer = (filter: Uint8Array, one: SystemCall) => runFilter(filter, one).answer;

function refuses(init: Init, pattern: RegExp): void {
  const complete = { DefaultAction: "SCMP_ACT_ALLOW", ...init };
  assert.throws(() => compile(complete), { name: "SeccompError", message: pattern });
}

const NAMES = [
  "read",
  "write",
  "open",
  "socket",
  "clone",
  "personality",
  "fcntl64",
  "socketcall",
  "nonesuch",
];
const WORDS = [0n, 1n, 2n, 1n << 32n, (1n << 32n) + 1n, (1n << 64n) - 1n];
const OPS = ["NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"].map((name) => `SCMP_CMP_${name}`);
const ACTIONS = { SCMP_ACT_ALLOW: ALLOW, SCMP_ACT_LOG: LOG, SCMP_ACT_TRAP: TRAP, SCMP_ACT_KILL: KILL };

interface GivenCondition {
  Index: bigint;
  Value: bigint;
  ValueTwo: bigint;
  Op: string;
}

interface GivenProfile {
  DefaultAction: keyof typeof ACTIONS;
  Syscalls: { Names: string[]; Action: keyof typeof ACTIONS; Args: GivenCondition[] }[];
}

const word = fc.constantFrom(...WORDS);
const condition: fc.Arbitrary<GivenCondition> = fc.record({
  Index: fc.bigInt({ min: 0n, max: 2n }),
  Value: word,
  ValueTwo: word,
  Op: fc.constantFrom(...OPS),
});
const action = fc.constantFrom(...Object.keys(ACTIONS)) as fc.Arbitrary<keyof typeof ACTIONS>;
const rule = fc.record({
  Names: fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 4 }),
  Action: action,
  Args: fc.array(condition, { maxLength: 3 }),
});
const profile: fc.Arbitrary<GivenProfile> = fc.record({
  DefaultAction: action,
  Syscalls: fc.array(rule, { maxLength: 12 }),
});

function isMet({ Value, ValueTwo, Op }: GivenCondition, given: bigint, bits: bigint): boolean {
  const [argument, value, second] = [given & bits, Value & bits, ValueTwo & bits];
  const tests: Record<string, boolean> = {
    SCMP_CMP_NE: argument !== value,
    SCMP_CMP_LT: argument < value,
    SCMP_CMP_LE: argument <= value,
    SCMP_CMP_EQ: argument === value,
    SCMP_CMP_GE: argument >= value,
    SCMP_CMP_GT: argument > value,
    SCMP_CMP_MASKED_EQ: (argument & value) === second,
  };
  return tests[Op] ?? assert.fail();
}

/** What the profile says of a call by its name. */
function judge({ DefaultAction, Syscalls }: GivenProfile, name: string, args: bigint[], abi: Abi) {
  const bits = abi === "x86" ? (1n << 32n) - 1n : (1n << 64n) - 1n;
  const rule = Syscalls.find(
    ({ Names, Args }) =>
      Names.includes(name) && Args.every((one) => isMet(one, args[Number(one.Index)] ?? 0n, bits)),
  );
  return ACTIONS[rule?.Action ?? DefaultAction];
}

describe("a filter of system calls", () => {
  it("says what the profile says, by every way into the kernel", () => {
    const abis = { x86_64: X86_64, x86: X86, x32: X86_64 } as const;
    const Architectures = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64"];
    const args = fc.tuple(word, word, word);
    fc.assert(
      fc.property(profile, fc.array(args, { minLength: 8, maxLength: 8 }), (given, calls) => {
        const filter = compile({ ...given, Architectures });
        for (const [abi, arch] of Object.entries(abis)) {
          const numbers = syscallNumbers(abi as Abi);
          for (const name of NAMES) {
            const number = numbers.get(name);
            if (number === undefined) continue;
            for (const one of calls) {
              const expected = judge(given, name, one, abi as Abi);
              const narrow = one.map((value) => (abi === "x86" ? value & 0xffffffffn : value));
              const made: SystemCall = { number, arch, args: [...narrow, 0n, 0n, 0n] };
              assert.equal(answer(filter, made), expected, `${abi} ${name} ${one}`);
            }
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it("has a number for every action", () => {
    const tell = (Action: string, errnoret?: number) =>
      answer(
        compile({ DefaultAction: "SCMP_ACT_LOG", Syscalls: [{ Names: ["read"], Action, errnoret }] }),
        call(0),
      );
    assert.equal(tell("SCMP_ACT_KILL"), KILL);
    assert.equal(tell("SCMP_ACT_KILL_THREAD"), KILL);
    assert.equal(tell("SCMP_ACT_KILL_PROCESS"), KILL_PROCESS);
    assert.equal(tell("SCMP_ACT_TRAP"), TRAP);
    assert.equal(tell("SCMP_ACT_ERRNO"), ERRNO | EPERM);
    assert.equal(tell("SCMP_ACT_ERRNO", 0), ERRNO);
    assert.equal(tell("SCMP_ACT_ERRNO", 4095), ERRNO | 4095);
    assert.equal(tell("SCMP_ACT_TRACE", 7), TRACE | 7);
    assert.equal(tell("SCMP_ACT_LOG"), LOG);
    assert.equal(tell("SCMP_ACT_ALLOW"), ALLOW);
  });

  it("kills who comes by a way that the profile does not name", () => {
    const filter = compile({ DefaultAction: "SCMP_ACT_ALLOW" });
    assert.equal(answer(filter, { ...call(0), arch: X86 }), KILL_PROCESS);
    assert.equal(answer(filter, { ...call(0), arch: 0xc00000b7 }), KILL_PROCESS);
    assert.equal(answer(filter, call(X32_BIT)), KILL_PROCESS);
    assert.equal(answer(filter, call(0xffffffff)), ALLOW, "a call that a tracer has left out");
  });

  it("tells that calls are not there that are newer than the profile, where others are refused", () => {
    const Syscalls = [{ Names: ["read", "openat"], Action: "SCMP_ACT_ALLOW" }];
    const refusing = compile({ DefaultAction: "SCMP_ACT_ERRNO", Syscalls });
    assert.equal(answer(refusing, call(256)), ERRNO | EPERM);
    assert.equal(answer(refusing, call(257)), ALLOW);
    assert.equal(answer(refusing, call(258)), ERRNO | ENOSYS);
    const killing = compile({ DefaultAction: "SCMP_ACT_KILL_PROCESS", Syscalls });
    assert.equal(answer(killing, call(258)), KILL_PROCESS);
    assert.equal(answer(compile({ DefaultAction: "SCMP_ACT_ERRNO" }), call(0)), ERRNO | EPERM);
  });

  it("finds one of all calls in few steps", () => {
    const numbers = syscallNumbers("x86_64");
    const names = [...numbers.keys()];
    const even = names.filter((name) => (numbers.get(name) ?? 0) % 2 === 0);
    const conditions = [{ Index: 0n, Value: 5n, Op: "SCMP_CMP_EQ" }];
    const odd = names.filter((name) => !even.includes(name));
    const filter = compile({
      DefaultAction: "SCMP_ACT_ERRNO",
      Architectures: ["SCMP_ARCH_X86", "SCMP_ARCH_X32"],
      Syscalls: [
        { Names: even, Action: "SCMP_ACT_ALLOW" },
        { Names: odd, Action: "SCMP_ACT_LOG", Args: conditions },
      ],
    });
    assert.ok(filter.length / 8 > 1000, "many jumps are too long for one instruction");
    for (const [name, number] of numbers) {
      const { answer, steps } = runFilter(filter, call(number, 5n));
      assert.equal(answer, even.includes(name) ? ALLOW : LOG, name);
      assert.ok(steps < 30, `${name}: ${steps} steps`);
    }
  });

  it("has the flags of the profile", () => {
    const Flags = ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_TSYNC"];
    assert.equal(compileSeccomp(message({ DefaultAction: "SCMP_ACT_ALLOW", Flags })).flags, 7);
    refuses({ Flags: ["SECCOMP_FILTER_FLAG_NEW_LISTENER"] }, /unknown seccomp flag ".*LISTENER"/);
  });

  it("is not made of a profile with words that are none", () => {
    const syscall = { Names: ["read"], Action: "SCMP_ACT_ALLOW" };
    const argument = { Index: 0n, Value: 0n, Op: "SCMP_CMP_EQ" };
    refuses({ DefaultAction: "" }, /unknown seccomp action ""/);
    refuses({ DefaultAction: "SCMP_ACT_NOTIFY" }, /"SCMP_ACT_NOTIFY" is not supported/);
    refuses({ Architectures: ["SCMP_ARCH_Z80"] }, /unknown seccomp architecture "SCMP_ARCH_Z80"/);
    refuses({ Syscalls: [{ ...syscall, Names: [] }] }, /names no system call/);
    refuses({ Syscalls: [{ ...syscall, Action: "SCMP_ACT_ERRNO", errnoret: 4096 }] }, /errno 4096/);
    refuses({ Syscalls: [{ ...syscall, Args: [{ ...argument, Index: 6n }] }] }, /seccomp argument 6/);
    refuses({ Syscalls: [{ ...syscall, Args: [{ ...argument, Op: "EQ" }] }] }, /comparison "EQ"/);
    const many = Array.from({ length: 2000 }, (_, at) => ({
      ...syscall,
      Args: [{ ...argument, Value: BigInt(at) }],
    }));
    refuses({ Syscalls: many }, /more than the 4096 instructions/);
  });
});

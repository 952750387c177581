/**
 * Rules about devices as a program of the kernel (eBPF, type CGROUP_DEVICE), which is asked at each open and mknod and
 * says 1 or 0. It has 32 bits each of: what is done (uses in the upper half, kind in the lower), major, minor.
 */

import type { DeviceRule } from "./device-rules.ts";
import { LimitError } from "./setting.ts";

/** Most rules that are compiled. */
const MAX_RULES = 1000;
const INSTRUCTION_BYTES = 8;

/** The instructions that such programs need, each on a register and a constant. */
const Code = {
  LOAD_WORD: 0x61,
  MOVE: 0xb7,
  MOVE_REGISTER: 0xbf,
  AND: 0x57,
  SHIFT_RIGHT: 0x77,
  JUMP: 0x05,
  JUMP_EQUAL: 0x15,
  JUMP_NOT_EQUAL: 0x55,
  JUMP_ANY_BIT: 0x45,
  EXIT: 0x95,
} as const;

/** Registers: the answer, what the kernel gives, and what of it is kept. */
const [ANSWER, GIVEN, KIND, USES, MAJOR, MINOR] = [0, 1, 2, 3, 4, 5];

interface Instruction {
  code: number;
  to: number;
  from?: number;
  /** instructions to be left out, or bytes into what is given */
  offset?: number;
  value?: number;
}

const load = (to: number, offset: number): Instruction => ({ code: Code.LOAD_WORD, to, from: GIVEN, offset });

const answer = (value: number): Instruction[] => [
  { code: Code.MOVE, to: ANSWER, value },
  { code: Code.EXIT, to: 0 },
];

/** Keeps what is given. */
const PROLOGUE: readonly Instruction[] = [
  load(KIND, 0),
  { code: Code.MOVE_REGISTER, to: USES, from: KIND },
  { code: Code.AND, to: KIND, value: 0xffff },
  { code: Code.SHIFT_RIGHT, to: USES, value: 16 },
  load(MAJOR, 4),
  load(MINOR, 8),
];

/** What a rule that fits does: those uses that it allows need no other rule's leave; one that it denies ends it. */
function judge({ allow, uses }: DeviceRule): Instruction[] {
  if (allow) {
    return [
      { code: Code.AND, to: USES, value: ~uses },
      { code: Code.JUMP_NOT_EQUAL, to: USES, value: 0, offset: 2 },
      ...answer(1),
    ];
  }
  return [
    { code: Code.JUMP_ANY_BIT, to: USES, value: uses, offset: 1 },
    { code: Code.JUMP, to: 0, offset: 2 },
    ...answer(0),
  ];
}

function compileRule(rule: DeviceRule): Instruction[] {
  const judging = judge(rule);
  const { kind, major, minor } = rule;
  const wanted = [
    { register: KIND, value: kind },
    { register: MAJOR, value: major },
    { register: MINOR, value: minor },
  ].filter(({ value }) => value !== undefined);
  const checks = wanted.map(({ register, value }, at) => ({
    code: Code.JUMP_NOT_EQUAL,
    to: register as number,
    value: value as number,
    offset: wanted.length - 1 - at + judging.length,
  }));
  return [...checks, ...judging];
}

function encode(instructions: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(instructions.length * INSTRUCTION_BYTES);
  const view = new DataView(bytes.buffer);
  instructions.forEach(({ code, to, from = 0, offset = 0, value = 0 }, index) => {
    const at = index * INSTRUCTION_BYTES;
    view.setUint8(at, code);
    view.setUint8(at + 1, to | (from << 4));
    view.setInt16(at + 2, offset, true);
    view.setInt32(at + 4, value, true);
  });
  return bytes;
}

/** True for a rule that decides about whatever those before it are about. */
const ALL_USES = 7;
function decidesAll({ kind, major, minor, uses }: DeviceRule): boolean {
  return kind === undefined && major === undefined && minor === undefined && uses === ALL_USES;
}

/**
 * The program for rules of which the last that fits decides; what none fits is denied.
 *
 * @throws LimitError when there are too many
 */
export function compileDeviceRules(rules: readonly DeviceRule[]): Uint8Array {
  if (rules.length > MAX_RULES) {
    throw new LimitError(`${rules.length} rules for devices: there may be ${MAX_RULES}`);
  }
  const code: Instruction[] = [...PROLOGUE];
  for (const rule of rules.toReversed()) {
    // What is never reached the kernel would refuse.
    if (decidesAll(rule)) return encode([...code, ...answer(rule.allow ? 1 : 0)]);
    code.push(...compileRule(rule));
  }
  return encode([...code, ...answer(0)]);
}

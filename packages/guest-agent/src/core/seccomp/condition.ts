/** Comparisons of a system call's arguments, which are numbers of 64 bits; a filter sees them by halves. */

import type { LinuxSeccompArg } from "@husk/wire/kata";
import { type FilterCode, type Label, Test } from "./filter-code.ts";
import { SeccompError } from "./seccomp-error.ts";

/** Arguments of a system call. */
const ARGUMENTS = 6n;
/** Where the kernel tells the first, and bytes of each: the lower half comes first. */
const [ARGUMENTS_OFFSET, ARGUMENT_BYTES, HALF_BYTES] = [16, 8, 4];

const COMPARISONS = [
  "SCMP_CMP_NE",
  "SCMP_CMP_LT",
  "SCMP_CMP_LE",
  "SCMP_CMP_EQ",
  "SCMP_CMP_GE",
  "SCMP_CMP_GT",
  "SCMP_CMP_MASKED_EQ",
] as const;

/** See the head of the file. */
export interface Condition {
  /** argument, 0 to 5 */
  index: number;
  comparison: (typeof COMPARISONS)[number];
  value: bigint;
  /** bits that count; all but for MASKED_EQ */
  mask: bigint;
}

const ALL_BITS = (1n << 64n) - 1n;
const LOWER_BITS = 0xffffffffn;

/** A condition of a profile. @throws SeccompError */
export function readCondition({ Index, Value, ValueTwo, Op }: LinuxSeccompArg): Condition {
  if (Index >= ARGUMENTS) throw new SeccompError(`seccomp argument ${Index}: a system call has ${ARGUMENTS}`);
  const comparison = COMPARISONS.find((name) => name === Op);
  if (!comparison) throw new SeccompError(`unknown seccomp comparison "${Op}"`);
  const index = Number(Index);
  // Here the first value is the mask.
  if (comparison === "SCMP_CMP_MASKED_EQ") return { index, comparison, value: ValueTwo, mask: Value };
  return { index, comparison, value: Value, mask: ALL_BITS };
}

/** Where a comparison leads. */
interface Ways {
  yes: Label;
  no: Label;
}

class Comparison {
  readonly #code: FilterCode;
  readonly #offset: number;
  readonly #condition: Condition;

  constructor(code: FilterCode, condition: Condition) {
    this.#code = code;
    this.#offset = ARGUMENTS_OFFSET + condition.index * ARGUMENT_BYTES;
    this.#condition = condition;
  }

  /** Compares the lower half. */
  compareLower(ways: Ways): Label {
    const value = Number(this.#condition.value & LOWER_BITS);
    return this.#load(0, this.#condition.mask & LOWER_BITS, this.#branchLower(value, ways));
  }

  #branchLower(value: number, { yes, no }: Ways): Label {
    const code = this.#code;
    switch (this.#condition.comparison) {
      case "SCMP_CMP_NE":
        return code.branch(Test.EQUAL, value, no, yes);
      case "SCMP_CMP_LT":
        return code.branch(Test.AT_LEAST, value, no, yes);
      case "SCMP_CMP_LE":
        return code.branch(Test.GREATER, value, no, yes);
      case "SCMP_CMP_GE":
        return code.branch(Test.AT_LEAST, value, yes, no);
      case "SCMP_CMP_GT":
        return code.branch(Test.GREATER, value, yes, no);
      default:
        return code.branch(Test.EQUAL, value, yes, no);
    }
  }

  /** Compares the upper half, and the lower where that does not tell. */
  compare(ways: Ways): Label {
    const lower = this.compareLower(ways);
    const value = Number(this.#condition.value >> 32n);
    return this.#load(HALF_BYTES, this.#condition.mask >> 32n, this.#branchUpper(value, lower, ways));
  }

  #branchUpper(value: number, lower: Label, { yes, no }: Ways): Label {
    const code = this.#code;
    switch (this.#condition.comparison) {
      case "SCMP_CMP_NE":
        return code.branch(Test.EQUAL, value, lower, yes);
      case "SCMP_CMP_LT":
      case "SCMP_CMP_LE":
        return code.branch(Test.GREATER, value, no, code.branch(Test.EQUAL, value, lower, yes));
      case "SCMP_CMP_GE":
      case "SCMP_CMP_GT":
        return code.branch(Test.GREATER, value, yes, code.branch(Test.EQUAL, value, lower, no));
      default:
        return code.branch(Test.EQUAL, value, lower, no);
    }
  }

  #load(half: number, mask: bigint, next: Label): Label {
    const masked = mask === LOWER_BITS ? next : this.#code.and(Number(mask), next);
    return this.#code.load(this.#offset + half, masked);
  }
}

/**
 * Writes the comparison.
 *
 * @param isNarrow whether arguments have 32 bits only
 */
export function writeCondition(code: FilterCode, condition: Condition, isNarrow: boolean, ways: Ways): Label {
  const comparison = new Comparison(code, condition);
  return isNarrow ? comparison.compareLower(ways) : comparison.compare(ways);
}

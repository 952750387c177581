/** From the number of a system call to its rules: a search that halves what is left, however many a profile names. */

import { ENOSYS_ACTION, isErrnoAction } from "./action.ts";
import { writeCondition } from "./condition.ts";
import { type FilterCode, type Label, Test } from "./filter-code.ts";
import type { Profile, Rule } from "./profile.ts";
import { type Abi, findSyscalls } from "./syscall-numbers.ts";

/** What is done about all numbers from this one to the next span. */
export interface Span {
  from: number;
  /** tried in their order */
  rules: readonly Rule[];
  /** what is done when none fits */
  action: number;
}

function rulesByName({ rules }: Profile): Map<string, Rule[]> {
  const named = new Map<string, Rule[]>();
  for (const rule of rules) {
    for (const name of rule.names) {
      const list = named.get(name);
      if (list) list.push(rule);
      else named.set(name, [rule]);
    }
  }
  return named;
}

/** Rules by the numbers of one way into the kernel. */
type NumberedRules = Map<number, readonly Rule[]>;

/** The rules of a profile by each way. Names of other machines' calls and of kernels to come have none. */
export function numberRules(profile: Profile): Record<Abi, NumberedRules> {
  const named = rulesByName(profile);
  const numbered = { x86_64: new Map(), x86: new Map(), x32: new Map() };
  findSyscalls(
    (name) => named.has(name),
    (name, numbers) => {
      for (const abi of profile.abis) {
        const number = numbers[abi];
        if (number !== undefined) numbered[abi].set(number, named.get(name));
      }
    },
  );
  return numbered;
}

/** A rule without conditions is the last of its list. */
function spanOf(from: number, rules: readonly Rule[], defaultAction: number): Span {
  const [first] = rules;
  if (first?.conditions.length === 0) return { from, rules: [], action: first.action };
  const end = rules.findIndex(({ conditions }) => conditions.length === 0);
  const action = rules[end]?.action ?? defaultAction;
  return { from, rules: end === -1 ? rules : rules.slice(0, end), action };
}

function isSame(left: Span | undefined, right: Span): boolean {
  return left?.rules.length === 0 && right.rules.length === 0 && left.action === right.action;
}

/** What comes after all that the profile names: programs take its absence better than a refusal. */
function actionOfLater(defaultAction: number): number {
  return isErrnoAction(defaultAction) ? ENOSYS_ACTION : defaultAction;
}

/**
 * The spans of one way into the kernel, in the order of their numbers.
 *
 * @param start its first number
 */
export function findSpans(rules: NumberedRules, defaultAction: number, start: number): Span[] {
  const spans: Span[] = [];
  const add = (span: Span) => {
    if (!isSame(spans.at(-1), span)) spans.push(span);
  };
  let next = start;
  for (const number of Uint32Array.from(rules.keys()).sort()) {
    if (number > next) add({ from: next, rules: [], action: defaultAction });
    add(spanOf(number, rules.get(number) ?? [], defaultAction));
    next = number + 1;
  }
  add({ from: next, rules: [], action: next === start ? defaultAction : actionOfLater(defaultAction) });
  return spans;
}

function writeSpan(code: FilterCode, { rules, action }: Span, isNarrow: boolean): Label {
  let otherwise = code.answer(action);
  for (const rule of rules.toReversed()) {
    const no = otherwise;
    otherwise = rule.conditions.reduceRight(
      (yes, condition) => writeCondition(code, condition, isNarrow, { yes, no }),
      code.answer(rule.action),
    );
  }
  return otherwise;
}

/** Writes the search in spans for the number that is loaded. */
export function writeSearch(code: FilterCode, spans: readonly Span[], isNarrow: boolean): Label {
  const [first, ...others] = spans;
  if (!first) throw new RangeError("a search in nothing");
  if (others.length === 0) return writeSpan(code, first, isNarrow);
  const half = spans.length >> 1;
  const upper = writeSearch(code, spans.slice(half), isNarrow);
  const lower = writeSearch(code, spans.slice(0, half), isNarrow);
  return code.branch(Test.AT_LEAST, (spans[half] ?? first).from, upper, lower);
}

/**
 * Seccomp profiles as filters. What the kernel tells a filter of a call: its number, the way into the kernel (at 4), the
 * address it came from (at 8), six arguments (at 16).
 */

import type { LinuxSeccomp } from "@husk/wire/kata";
import { FOREIGN_ACTION } from "./action.ts";
import { findSpans, numberRules, type Span, writeSearch } from "./dispatch.ts";
import { FilterCode, Test } from "./filter-code.ts";
import { type Profile, readProfile } from "./profile.ts";
import { X32_BIT } from "./syscall-numbers.ts";

const [NUMBER_OFFSET, ABI_OFFSET] = [0, 4];
/** Ways into the kernel by the kernel's numbers; x32 comes by that of x86_64. */
const [X86_64, X86] = [0xc000003e, 0x40000003];
/** The number by which a tracer has a call left out. */
const NO_CALL = 0xffffffff;

/** What {@link installSeccomp} installs. */
export interface SeccompFilter {
  /** bits of seccomp(2) */
  flags: number;
  instructions: Uint8Array;
}

/** The spans of all numbers by which x86_64 and x32 call. */
function wideSpans({ defaultAction, abis }: Profile, rules: ReturnType<typeof numberRules>): Span[] {
  const foreign = { from: X32_BIT, rules: [], action: FOREIGN_ACTION };
  return [
    ...findSpans(rules.x86_64, defaultAction, 0),
    ...(abis.has("x32") ? findSpans(rules.x32, defaultAction, X32_BIT) : [foreign]),
    { from: NO_CALL, rules: [], action: defaultAction },
  ];
}

/**
 * The filter of a profile. Of the rules for a call the first whose conditions are all met decides; what no rule fits is
 * done as by default. A call by a way that the profile does not name kills its process.
 *
 * @throws SeccompError with what is unknown in it, or not supported
 */
export function compileSeccomp(seccomp: LinuxSeccomp): SeccompFilter {
  const profile = readProfile(seccomp);
  const rules = numberRules(profile);
  const code = new FilterCode();
  const foreign = code.answer(FOREIGN_ACTION);
  // Written from the last to the first, so that what is asked most often comes first.
  const other = profile.abis.has("x86")
    ? code.branch(
        Test.EQUAL,
        X86,
        code.load(NUMBER_OFFSET, writeSearch(code, findSpans(rules.x86, profile.defaultAction, 0), true)),
        foreign,
      )
    : foreign;
  const wide = code.load(NUMBER_OFFSET, writeSearch(code, wideSpans(profile, rules), false));
  code.load(ABI_OFFSET, code.branch(Test.EQUAL, X86_64, wide, other));
  return { flags: profile.flags, instructions: code.encode() };
}

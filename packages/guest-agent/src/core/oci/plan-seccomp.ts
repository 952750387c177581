import type { LinuxSeccomp } from "@husk/wire/kata";
import { compileSeccomp } from "../seccomp/compile-seccomp.ts";
import { installSeccomp } from "../seccomp/install-seccomp.ts";
import { checked } from "./spec-fault.ts";

/**
 * What a child does to have its system calls filtered; undefined without a profile.
 *
 * @throws TtrpcError INVALID_ARGUMENT for a profile that says what the filter could not do
 */
export function planSeccomp(profile: LinuxSeccomp | undefined): (() => void) | undefined {
  if (!profile) return undefined;
  const filter = checked("linux.seccomp", () => compileSeccomp(profile));
  return () => installSeccomp(filter);
}

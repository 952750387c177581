/** A seccomp profile of the OCI specification, checked, with numbers in the place of names. */

import type { LinuxSeccomp, LinuxSyscall } from "@husk/wire/kata";
import { actionNumber } from "./action.ts";
import { type Condition, readCondition } from "./condition.ts";
import { SeccompError } from "./seccomp-error.ts";
import type { Abi } from "./syscall-numbers.ts";

/** Ways into the kernel that this machine has. */
const ABIS: Readonly<Record<string, Abi>> = {
  SCMP_ARCH_X86_64: "x86_64",
  SCMP_ARCH_X86: "x86",
  SCMP_ARCH_X32: "x32",
};
/** Those of other machines, which profiles list as well. */
const FOREIGN =
  /^SCMP_ARCH_(ARM|AARCH64|LOONGARCH64|M68K|MIPS(64(N32)?|EL(64(N32)?)?)?|PPC(64(LE)?)?|RISCV64|S390X?|SH|SHEB|PARISC(64)?)$/;

const FLAGS: Readonly<Record<string, number>> = {
  SECCOMP_FILTER_FLAG_TSYNC: 1,
  SECCOMP_FILTER_FLAG_LOG: 2,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: 4,
};

/** What is done about some system calls, when all its conditions are met. */
export interface Rule {
  names: readonly string[];
  /** what a filter answers */
  action: number;
  conditions: readonly Condition[];
}

/** See the head of the file. */
export interface Profile {
  defaultAction: number;
  /** the machine's own is always among them */
  abis: ReadonlySet<Abi>;
  /** bits of seccomp(2) */
  flags: number;
  /** the first that fits decides */
  rules: readonly Rule[];
}

function readAbis(names: readonly string[]): Set<Abi> {
  const abis = new Set<Abi>(["x86_64"]);
  for (const name of names) {
    const abi = ABIS[name];
    if (abi) abis.add(abi);
    else if (!FOREIGN.test(name)) throw new SeccompError(`unknown seccomp architecture "${name}"`);
  }
  return abis;
}

function readFlags(names: readonly string[]): number {
  let flags = 0;
  for (const name of names) {
    const flag = FLAGS[name];
    if (flag === undefined) throw new SeccompError(`unknown seccomp flag "${name}"`);
    flags |= flag;
  }
  return flags;
}

function readRule({ Names, Action, Args, errnoret }: LinuxSyscall): Rule {
  if (Names.length === 0) throw new SeccompError(`a seccomp rule for "${Action}" names no system call`);
  return { names: Names, action: actionNumber(Action, errnoret), conditions: Args.map(readCondition) };
}

/** See the head of the file. @throws SeccompError with the word that is not known, or not supported */
export function readProfile({ DefaultAction, Architectures, Flags, Syscalls }: LinuxSeccomp): Profile {
  return {
    defaultAction: actionNumber(DefaultAction),
    abis: readAbis(Architectures),
    flags: readFlags(Flags),
    rules: Syscalls.map(readRule),
  };
}

/** Numbers of system calls by their names. They differ by the way into the kernel. */

import { SYSCALLS } from "./syscall-table.ts";

/** A way into the kernel of this machine: its own, of programs of 32 bits, of such with 64-bit registers. */
export type Abi = "x86_64" | "x86" | "x32";

const COLUMNS: readonly Abi[] = ["x86_64", "x86", "x32"];

/** Bit in all numbers of x32. */
export const X32_BIT = 0x40000000;

/** The number of a word's column; x32 has that of the first when its own is left out. */
function readNumber(columns: readonly string[], abi: Abi): number | undefined {
  const text = columns[COLUMNS.indexOf(abi)] ?? (abi === "x32" ? columns[0] : undefined);
  if (text === undefined || text === "" || text === "-") return undefined;
  return Number(text) + (abi === "x32" ? X32_BIT : 0);
}

/** All that have one. Made anew each time: containers are started seldom, and it is large. */
export function syscallNumbers(abi: Abi): Map<string, number> {
  const numbers = new Map<string, number>();
  for (const word of SYSCALLS.trim().split(/\s+/)) {
    const [name = "", columns = ""] = word.split("=");
    const number = readNumber(columns.split("/"), abi);
    if (number !== undefined) numbers.set(name, number);
  }
  return numbers;
}

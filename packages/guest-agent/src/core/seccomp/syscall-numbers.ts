/** Numbers of system calls by their names. They differ by the way into the kernel. */

import { SYSCALLS } from "./syscall-table.ts";

/** A way into the kernel of this machine: its own, of programs of 32 bits, of such with 64-bit registers. */
export type Abi = "x86_64" | "x86" | "x32";

/** Bit in all numbers of x32. */
export const X32_BIT = 0x40000000;

/** Numbers of one system call; what is not there by a way has none. */
export type SyscallNumbers = Partial<Record<Abi, number>>;

/** The columns of a word of the table; x32 has the number of the first when its own is left out. */
function readNumbers(columns: string): SyscallNumbers {
  const [wide = "", narrow = "", x32 = wide] = columns.split("/");
  const numbers: SyscallNumbers = {};
  if (wide !== "") numbers.x86_64 = Number(wide);
  if (narrow !== "") numbers.x86 = Number(narrow);
  if (x32 !== "" && x32 !== "-") numbers.x32 = Number(x32) + X32_BIT;
  return numbers;
}

/**
 * Calls `found` for each that is `wanted`. The table is read anew each time: few containers are started, and it would be
 * large in memory.
 */
export function findSyscalls(
  wanted: (name: string) => boolean,
  found: (name: string, numbers: SyscallNumbers) => void,
): void {
  for (const line of SYSCALLS.split("\n")) {
    for (const word of line.split(" ")) {
      const end = word.indexOf("=");
      const name = word.slice(0, end);
      if (wanted(name)) found(name, readNumbers(word.slice(end + 1)));
    }
  }
}

// packages/guest-agent/src/core/seccomp/syscall-table.ts is made from this machine's kernel headers (linux-libc-dev):
// node scripts/syscall-table.ts writes it anew.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const HEADERS = "/usr/include/x86_64-linux-gnu/asm";
const TABLE = join(import.meta.dirname, "../packages/guest-agent/src/core/seccomp/syscall-table.ts");
/** Columns of the table; x32 is left out where it is as in the first. */
const ABIS = ["64", "32", "x32"] as const;
const DEFINITION = /^#define __NR_(\w+)\s+\(?(?:__X32_SYSCALL_BIT \+ )?(\d+)\)?$/gm;
const LINE_LENGTH = 108;

const HEAD = `// Made from the kernel's headers by scripts/syscall-table.ts: change that, and run this.
/** Names of system calls, each with its number on x86_64, on x86, and on x32 where that differs; "-" for none there. */`;

/** Whether this machine has the headers. */
export const hasHeaders = ABIS.every((abi) => existsSync(join(HEADERS, `unistd_${abi}.h`)));

function readHeader(abi: string): Map<string, string> {
  const text = readFileSync(join(HEADERS, `unistd_${abi}.h`), "utf8");
  return new Map([...text.matchAll(DEFINITION)].map(([, name = "", number = ""]) => [name, number]));
}

/** The table's words by the names. */
export function readHeaders(): Map<string, string> {
  const [wide, narrow, x32] = ABIS.map(readHeader) as [
    Map<string, string>,
    Map<string, string>,
    Map<string, string>,
  ];
  const names = [...new Set([...wide.keys(), ...narrow.keys(), ...x32.keys()])].sort();
  return new Map(
    names.map((name) => {
      const columns = [wide.get(name) ?? "", narrow.get(name) ?? ""];
      if (x32.get(name) !== wide.get(name)) columns.push(x32.get(name) ?? "-");
      return [name, `${name}=${columns.join("/")}`.replace(/\/$/, "")];
    }),
  );
}

function fold(words: Iterable<string>): string {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length >= LINE_LENGTH) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join("\n");
}

/** The words of the table as it is. */
export function readTable(): Map<string, string> {
  const [, words = ""] = readFileSync(TABLE, "utf8").split("`");
  return new Map(
    words
      .trim()
      .split(/\s+/)
      .map((word) => [word.split("=")[0] ?? "", word]),
  );
}

if (import.meta.main) {
  writeFileSync(TABLE, `${HEAD}\nexport const SYSCALLS = \`\n${fold(readHeaders().values())}\n\`;\n`);
}

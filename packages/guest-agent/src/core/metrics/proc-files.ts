/** The forms that the kernel's files of figures have. */

import { readTextIfThere } from "@husk/tiny";

/** Most bytes of such a file: a machine of very many CPUs or disks has long ones. */
const MAX_BYTES = 4 * 1024 * 1024;

/** The lines of a file; none when it is not there. */
export function readLines(path: string): string[] {
  return (readTextIfThere(path, MAX_BYTES) ?? "").split("\n").filter(Boolean);
}

/** The words of a line. */
export function wordsOf(line: string): string[] {
  return line.trim().split(/\s+/);
}

/** `Name: value unit` or `name value` on each line; what is no number is left out. */
export function readPairs(path: string): [name: string, value: number, unit: string][] {
  return readLines(path).flatMap((line) => {
    const [name = "", value = "", unit = ""] = wordsOf(line.replace(":", " "));
    return /^\d+$/.test(value) ? [[name, Number(value), unit] as [string, number, string]] : [];
  });
}

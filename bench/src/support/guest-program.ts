import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const EXECUTABLE = 0o100755;

/**
 * Compiles a guest program and gives an initramfs with it as `/init`. The kernel unpacks archives that follow
 * each other one over the other, so this one may also be put behind another.
 */
export function makeInitArchive(folder: string, name: "poweroff" | "port-writer"): Buffer {
  const program = join(folder, name);
  const source = join(import.meta.dirname, "../guests", `${name}.c`);
  execFileSync("gcc", ["-static", "-Os", "-s", "-Wall", "-o", program, source]);
  return Buffer.concat([
    entry("init", EXECUTABLE, readFileSync(program)),
    entry("TRAILER!!!", 0, Buffer.alloc(0)),
  ]);
}

/** One entry of a "newc" cpio archive: all numbers in hexadecimal, name and data padded to 4 bytes. */
function entry(name: string, mode: number, data: Buffer): Buffer {
  const fields = [1, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length + 1, 0];
  const head = `070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}${name}\0`;
  return Buffer.concat([pad(Buffer.from(head)), pad(data)]);
}

function pad(data: Buffer): Buffer {
  return Buffer.concat([data, Buffer.alloc((4 - (data.length % 4)) % 4)]);
}

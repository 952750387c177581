import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Workplace } from "./workplace.ts";

const MODES = { file: 0o100755, none: 0 };

/** Makes an initramfs whose init is one of the programs in `guests/`, and gives its path. */
export function makeBrokenGuest(place: Workplace, kind: "hang" | "panic"): string {
  const program = join(place.folder, kind);
  const source = join(import.meta.dirname, "../guests", `${kind}.c`);
  execFileSync("gcc", ["-static", "-Os", "-s", "-o", program, source]);
  return makeInitramfs(place, kind, program);
}

/** Makes an initramfs of a static program alone, which is its init, and gives its path. */
export function makeInitramfs(place: Workplace, name: string, program: string): string {
  const archive = Buffer.concat([
    entry("init", MODES.file, readFileSync(program)),
    entry("TRAILER!!!", MODES.none, Buffer.alloc(0)),
  ]);
  const path = join(place.folder, `${name}.cpio`);
  writeFileSync(path, archive);
  return path;
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

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Workplace } from "./workplace.ts";

/** A block device of the host that is a file. */
export interface LoopDevice extends Disposable {
  /** path of the device */
  readonly path: string;
  /** path of the file behind it */
  readonly file: string;
}

/** Makes a block device of 1 MiB that begins with a text. */
export async function makeLoopDevice(place: Workplace, name: string, content: string): Promise<LoopDevice> {
  if (!existsSync("/dev/loop-control")) throw new Error("this test needs loop devices");
  const file = join(place.folder, name);
  await writeFile(file, content);
  await truncate(file, 1 << 20);
  const path = execFileSync("losetup", ["--find", "--show", file]).toString().trim();
  return { path, file, [Symbol.dispose]: () => execFileSync("losetup", ["--detach", path]) };
}

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, constants, existsSync, openSync } from "node:fs";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Workplace } from "./workplace.ts";

/** A QEMU that tells when it has been started, so that a test can act in the middle of a boot. */
export interface AnnouncedQemu {
  /** environment that makes husk use it */
  readonly env: Record<string, string>;
  /** Settles when it has been started. */
  started(): Promise<void>;
}

/** Makes a program that announces itself through a named pipe and then becomes the real QEMU. */
export async function makeAnnouncedQemu(place: Workplace): Promise<AnnouncedQemu> {
  const pipe = join(place.folder, "started");
  const program = join(place.folder, "qemu");
  execFileSync("mkfifo", [pipe]);
  await writeFile(program, '#!/bin/sh\necho > "$HUSK_TEST_PIPE"\nexec qemu-system-x86_64 "$@"\n');
  await chmod(program, 0o755);
  // Who waits for a QEMU that never comes is woken when the test's time is up.
  place.signal?.addEventListener("abort", () => existsSync(pipe) && wakeReader(pipe));
  const started = async () => {
    const told = await readFile(pipe);
    assert.ok(told.length > 0, "no QEMU was started");
  };
  return { env: { HUSK_QEMU: program, HUSK_TEST_PIPE: pipe }, started };
}

function wakeReader(pipe: string): void {
  closeSync(openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK));
}

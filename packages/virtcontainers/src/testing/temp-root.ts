import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

/** A state and a cache directory, and a root file system, of one test; removed at its end. */
export interface TempRoot {
  readonly base: string;
  readonly root: string;
  readonly cache: string;
  readonly rootFs: string;
}

/** Makes the directories of a test. `cleanUp` is called at its end, before they are removed. */
export function makeTempRoot(test: TestContext, cleanUp?: () => Promise<void>): TempRoot {
  const base = mkdtempSync(join(tmpdir(), "vc-"));
  test.after(async () => {
    await cleanUp?.();
    rmSync(base, { recursive: true, force: true });
  });
  const rootFs = join(base, "rootfs");
  mkdirSync(rootFs);
  writeFileSync(join(rootFs, "hello"), "world\n");
  return { base, root: join(base, "r"), cache: join(base, "c"), rootFs };
}

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

/** Makes a directory for one test, which is removed at its end. */
export function makeTempDirectory(test: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "flist-"));
  test.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** For `test()`: a loud reason to leave a test out when not run as root. */
export const needsRoot: { skip: string | false } = {
  skip: process.geteuid?.() === 0 ? false : "SKIPPED: needs root (owners, devices); run the tests as root",
};

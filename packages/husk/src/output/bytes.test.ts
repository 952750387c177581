import assert from "node:assert/strict";
import { it } from "node:test";
import { formatBytes } from "./bytes.ts";

it("tells bytes in the unit that fits", () => {
  const told = [0, 1023, 1024, 1536, 150 * 1024, 64 * 2 ** 20, 2 ** 50].map(formatBytes);
  assert.deepEqual(told, ["0 B", "1023 B", "1 KiB", "1.5 KiB", "150 KiB", "64 MiB", "1024 TiB"]);
});

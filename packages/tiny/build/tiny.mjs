#!/usr/bin/env node
// The command `tiny`. Plain JavaScript, so that a Node that cannot run TypeScript can still say so.
if (process.features.typescript) {
  await import("./main.ts");
} else {
  console.error(
    `tiny: Node ${process.versions.node} is too old; 24 or later runs it (npm run puts that first on PATH)`,
  );
  process.exitCode = 1;
}

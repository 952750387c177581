// Checks that no package of husk imports what the house's layers forbid, that each package declares what it
// imports, and that code which also runs in the guest asks for nothing of Node.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { findLayerFaults, type PackageManifest, type SourceFile } from "./layers/find-layer-faults.ts";

const root = join(import.meta.dirname, "..");
const files: SourceFile[] = globSync("packages/*/**/*.ts", { cwd: root, exclude: ["**/node_modules/**"] })
  .sort()
  .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
const manifests: PackageManifest[] = globSync("packages/*/package.json", { cwd: root }).map((path) =>
  JSON.parse(readFileSync(join(root, path), "utf8")),
);

const faults = findLayerFaults(files, manifests);
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exitCode = 1;

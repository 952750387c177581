import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { needsRoot } from "../testing/needs-root.ts";
import { makeTempRoot } from "../testing/temp-root.ts";
import { cacheKey } from "./cache-key.ts";

test("callers of different network namespaces want different VMs", needsRoot, async (context) => {
  const { root, base } = makeTempRoot(context);
  const file = join(base, "file");
  // The first bytes of an archive that an initramfs can be.
  writeFileSync(file, "070701");
  const hypervisorConfig = { hypervisorPath: process.execPath, kernelPath: file, imagePath: file };
  const config = { id: "waiting", hypervisorConfig };
  const place = { root, cache: base, factory: {} };
  const here = await cacheKey(config, place);
  assert.equal(await cacheKey(config, place), here);
  const module = JSON.stringify(join(import.meta.dirname, "cache-key.ts"));
  const program = `import { cacheKey } from ${module};
    process.stdout.write(await cacheKey(${JSON.stringify(config)}, ${JSON.stringify(place)}));`;
  const node = [process.execPath, "--input-type=module", "-e", program] as const;
  assert.equal(execFileSync(node[0], node.slice(1), { encoding: "utf8" }), here);
  assert.notEqual(execFileSync("unshare", ["--net", ...node], { encoding: "utf8" }), here);
});

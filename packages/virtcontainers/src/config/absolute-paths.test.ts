import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { PodConfig } from "../types/index.ts";
import { withAbsolutePaths } from "./absolute-paths.ts";

test("paths are bound to the working directory, names and the caller's own object are left alone", () => {
  const config: PodConfig = {
    id: "p",
    hypervisorConfig: { kernelPath: "k", imagePath: "./i", hypervisorPath: "qemu", firmwarePath: "/f" },
    networkConfig: { netNSPath: "n", cni: { confDirs: ["conf"], binDirs: ["/bin"], networks: ["n"] } },
    containers: [{ id: "c", rootFs: "r/", cmd: { args: ["x"] } }],
  };
  const before = structuredClone(config);
  const absolute = withAbsolutePaths(config);
  assert.deepEqual(config, before);
  assert.equal(absolute.hypervisorConfig?.imagePath, join(process.cwd(), "i"));
  assert.equal(absolute.hypervisorConfig?.kernelPath, join(process.cwd(), "k"));
  assert.equal(absolute.hypervisorConfig?.hypervisorPath, "qemu");
  assert.equal(absolute.hypervisorConfig?.firmwarePath, "/f");
  assert.equal(absolute.containers?.[0]?.rootFs, join(process.cwd(), "r"));
  assert.deepEqual(absolute.networkConfig, {
    netNSPath: join(process.cwd(), "n"),
    cni: { confDirs: [join(process.cwd(), "conf")], binDirs: ["/bin"], networks: ["n"] },
  });
  assert.deepEqual(withAbsolutePaths({ id: "p" }), { id: "p" });
});

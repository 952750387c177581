import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fetchKernel, parseKernelDependency, parseKernelPackage } from "./fetch-kernel.ts";

const META = [
  "Package: linux-image-cloud-amd64",
  "Provides: linux-latest-modules-6.1.0-40-cloud-amd64",
  "Depends: linux-image-6.1.0-40-cloud-amd64 (= 6.1.150-1)",
  "Description: Linux for x86-64 cloud (meta-package)",
].join("\n");
const SUM = "ab".repeat(32);

test("the meta package names the kernel", () => {
  assert.equal(parseKernelDependency(META), "linux-image-6.1.0-40-cloud-amd64");
  assert.throws(() => parseKernelDependency("Depends: libc6"), /no kernel/);
  assert.throws(() => parseKernelDependency(""), /no kernel/);
});

test("a package's description gives version, file and checksum", () => {
  assert.deepEqual(parseKernelPackage("linux-image-x", `Version: 6.1.150-1\nSHA256: ${SUM}\n`), {
    name: "linux-image-x",
    version: "6.1.150-1",
    file: "linux-image-x_6.1.150-1_amd64.deb",
    sha256: SUM,
  });
  const epoch = parseKernelPackage("p", `Version: 1:2-3\nSHA256: ${SUM}`);
  assert.equal(epoch.file, "p_1%3a2-3_amd64.deb");
});

test("a description without a checksum, or with a path for a version, is refused", () => {
  assert.throws(() => parseKernelPackage("p", "Version: 1"), /checksum/);
  assert.throws(() => parseKernelPackage("p", `Version: ../../x\nSHA256: ${SUM}`), /version/);
});

test("a kernel that is there is used without asking anybody", async (t) => {
  const downloads = await mkdtemp(join(tmpdir(), "husk-fetch-"));
  t.after(() => rm(downloads, { recursive: true }));
  const deb = Buffer.from("a package");
  const kept = {
    name: "linux-image-x",
    version: "1",
    file: "linux-image-x_1_amd64.deb",
    sha256: createHash("sha256").update(deb).digest("hex"),
  };
  await writeFile(join(downloads, kept.file), deb);
  await writeFile(join(downloads, "kernel-package.json"), JSON.stringify(kept));
  const said: string[] = [];
  assert.deepEqual(await fetchKernel({ downloads, onProgress: (line) => said.push(line) }), kept);
  assert.deepEqual(said, []);
});

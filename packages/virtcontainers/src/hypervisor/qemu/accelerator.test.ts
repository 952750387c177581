import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, test } from "node:test";
import { makeTempRoot } from "../../testing/temp-root.ts";
import { chooseAccelerator } from "./accelerator.ts";

const before = process.env.HUSK_ACCEL;
afterEach(() => {
  if (before === undefined) delete process.env.HUSK_ACCEL;
  else process.env.HUSK_ACCEL = before;
});

const hasFlags = /^flags\s*:.*\b(vmx|svm)\b/m.test(readFileSync("/proc/cpuinfo", "latin1"));

test("HUSK_ACCEL decides where it can, and no other word is taken", async (t) => {
  const query = { hypervisorPath: "/bin/true", kernelPath: "/none", cache: makeTempRoot(t).cache };
  process.env.HUSK_ACCEL = "tcg";
  assert.deepEqual(await chooseAccelerator(query), { accelerator: "tcg", reason: "HUSK_ACCEL says so" });
  process.env.HUSK_ACCEL = "fast";
  await assert.rejects(chooseAccelerator(query), { code: "ERR_CONFIG_INVALID" });
  process.env.HUSK_ACCEL = "kvm";
  if (!hasFlags) await assert.rejects(chooseAccelerator(query), { code: "ERR_KVM_UNUSABLE" });
});

test("a machine that does not boot a kernel with KVM gets TCG, and a reason", async (t) => {
  delete process.env.HUSK_ACCEL;
  // A "QEMU" that ends at once proves nothing, so that the answer is the same on a machine with KVM.
  const query = { hypervisorPath: "/bin/true", kernelPath: "/none", cache: makeTempRoot(t).cache };
  const choice = await chooseAccelerator(query);
  assert.equal(choice.accelerator, "tcg");
  assert.ok(choice.reason.length > 0);
});

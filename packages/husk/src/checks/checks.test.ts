import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { isFit, renderChecks } from "./check-result.ts";
import { checkDirectory, checkMemory } from "./machine.ts";
import { checkPrograms, findProgram } from "./programs.ts";

describe("renderChecks", () => {
  it("marks each line and says what to do", () => {
    const text = renderChecks([
      { name: "qemu", state: "ok", detail: "/usr/bin/qemu" },
      { name: "/dev/kvm", state: "note", detail: "not there" },
      { name: "flock", state: "missing", detail: "not there", hint: "install it" },
    ]);
    assert.deepEqual(text.split("\n"), [
      "✓ qemu      /usr/bin/qemu",
      "– /dev/kvm  not there",
      "✗ flock     not there",
      "            → install it",
      "This machine cannot run husk yet.",
      "",
    ]);
  });

  it("takes a note for no obstacle", () => {
    assert.equal(isFit([{ name: "a", state: "note", detail: "" }]), true);
    assert.equal(isFit([{ name: "a", state: "missing", detail: "" }]), false);
  });
});

describe("checkPrograms", () => {
  it("names the Debian package of what is missing", () => {
    const qemu = checkPrograms({ PATH: "/nowhere" }).find(({ name }) => name === "qemu-system-x86_64");
    assert.equal(qemu?.state, "missing");
    assert.match(qemu?.hint ?? "", /apt-get install qemu-system-x86$/);
  });

  it("looks where HUSK_QEMU says", () => {
    const qemu = checkPrograms({ PATH: "/nowhere", HUSK_QEMU: process.execPath })[0];
    assert.equal(qemu?.state, "ok");
    assert.match(qemu?.detail ?? "", /node/);
  });

  it("does not take a directory for a program", () => {
    assert.equal(findProgram("usr", { PATH: "/" }), undefined);
  });
});

describe("checkMemory", () => {
  const meminfo = (mib: number) => `MemTotal:  999999 kB\nMemAvailable:   ${mib * 1024} kB\n`;

  it("is content with enough for a pod", () => assert.equal(checkMemory(meminfo(256)).state, "ok"));
  it("notes that only a small pod fits", () => assert.equal(checkMemory(meminfo(100)).state, "note"));
  it("refuses when no pod fits", () => assert.equal(checkMemory(meminfo(60)).state, "missing"));
  it("refuses when it cannot tell", () => assert.equal(checkMemory("").state, "missing"));
});

describe("checkDirectory", () => {
  it("accepts what can be made below a directory that can be written to", () => {
    const folder = mkdtempSync(join(tmpdir(), "husk-check-"));
    try {
      const result = checkDirectory("state directory", () => join(folder, "a/b"), "HUSK_ROOT");
      assert.deepEqual(result, {
        name: "state directory",
        state: "ok",
        detail: `${folder}/a/b (will be made)`,
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("refuses what stands below a file", () => {
    const folder = mkdtempSync(join(tmpdir(), "husk-check-"));
    try {
      writeFileSync(join(folder, "file"), "");
      const result = checkDirectory("state directory", () => join(folder, "file/state"), "HUSK_ROOT");
      assert.equal(result.state, "missing");
      assert.match(result.hint ?? "", /HUSK_ROOT/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

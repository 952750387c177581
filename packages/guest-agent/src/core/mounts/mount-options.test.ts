import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MS_NODEV, MS_NOSUID, MS_PRIVATE, MS_RDONLY, MS_REC, MS_SLAVE } from "@husk/tiny/constants";
import { type MountOptions, parseMountOptions } from "./mount-options.ts";

const NOTHING: MountOptions = {
  bind: "no",
  flags: 0,
  set: 0,
  clear: 0,
  recursive: false,
  propagation: [],
  data: "",
};

/** Asserts what comes of options, as far as it is not nothing. */
function gives(type: string, options: string[], expected: Partial<MountOptions>): void {
  assert.deepEqual(parseMountOptions(type, options), { ...NOTHING, ...expected }, options.join(","));
}

describe("mount options", () => {
  test("of a new file system are flags, and what is none goes to it", () => {
    gives("tmpfs", [], {});
    const { flags, data } = parseMountOptions("tmpfs", ["nosuid", "nodev", "size=64k", "ro", "mode=1777"]);
    assert.deepEqual([flags, data], [MS_NOSUID | MS_NODEV | MS_RDONLY, "size=64k,mode=1777"]);
    gives("tmpfs", ["defaults", "async"], {});
    assert.equal(parseMountOptions("ext4", ["sync", "dirsync", "lazytime"]).flags, 16 | 128 | (1 << 25));
  });

  test("take back what an earlier one said", () => {
    assert.equal(parseMountOptions("tmpfs", ["ro", "nosuid", "rw"]).flags, MS_NOSUID);
    gives("bind", ["ro", "rw"], { bind: "alone", clear: 1 });
    gives("bind", ["rw", "ro"], { bind: "alone", flags: MS_RDONLY, set: 1 });
  });

  test("bind, alone or with all below", () => {
    gives("bind", [], { bind: "alone" });
    gives("none", ["bind"], { bind: "alone" });
    gives("bind", ["rbind"], { bind: "tree", recursive: true });
    gives("rbind", [], { bind: "tree", recursive: true });
  });

  test("of a bind are attributes, which go for the whole tree that is bound", () => {
    gives("bind", ["ro", "nosuid", "nodev", "noexec"], { bind: "alone", flags: 15, set: 15 });
    gives("", ["rbind", "ro"], { bind: "tree", flags: 1, set: 1, recursive: true });
    gives("bind", ["rro"], { bind: "alone", flags: 1, set: 1, recursive: true });
    gives("bind", ["exec", "dev"], { bind: "alone", clear: 12 });
  });

  test("set the access times of a bind as one field", () => {
    for (const [options, set] of [
      [["noatime"], 0x10],
      [["strictatime"], 0x20],
      [["relatime"], 0],
      [["noatime", "strictatime"], 0x20],
      [["noatime", "atime"], 0],
      [["noatime", "nodiratime"], 0x90],
    ] as const) {
      const parsed = parseMountOptions("bind", options);
      assert.deepEqual([parsed.set, parsed.clear], [set, 0x70], options.join(","));
    }
  });

  test("say what is shared with other namespaces, in order", () => {
    gives("bind", ["rprivate", "slave"], {
      bind: "alone",
      propagation: [MS_PRIVATE | MS_REC, MS_SLAVE],
    });
    assert.equal(parseMountOptions("tmpfs", ["private", "shared", "unbindable"]).propagation.length, 3);
  });

  test("are never ignored", () => {
    for (const option of ["size=1m", "sync", "lazytime", "raw", "", "rbin"]) {
      assert.throws(() => parseMountOptions("bind", [option]), {
        message: `option "${option}" means nothing for a bind`,
      });
    }
    assert.throws(() => parseMountOptions("tmpfs", ["remount"]), /"remount" is not supported/);
  });
});

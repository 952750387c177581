import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { needsRoot } from "../test/support/needs-root.ts";
import { TestProgram } from "../test/support/test-program.ts";

describe("programs that the kernel asks", needsRoot, async () => {
  const program = await TestProgram.build("security");
  after(() => program.remove());

  const failure = (syscall: string, reason: string, errno: number) => ({
    message: `${syscall}: ${reason}`,
    syscall,
    errno,
  });

  test("eBPF is loaded, or refused", async () => {
    assert.deepEqual(await program.report("bpf"), {
      kind: "anon_inode:bpf-prog",
      endless: failure("bpf", "Invalid argument", 22),
      nowhere: failure("bpf", "Bad file descriptor", 9),
      none: "TypeError: not a TypedArray",
    });
  });

  test("a filter of system calls is in force from then on", async () => {
    assert.deepEqual(await program.report("seccomp"), {
      endless: failure("seccomp", "Invalid argument", 22),
      long: "RangeError: a filter of 65536 instructions",
      errno: 77,
    });
  });
});

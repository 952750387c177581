import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { keepBare, withKernelWords } from "./bare-vm.ts";

describe("keepBare", () => {
  it("drops what ties a VM to husk, values and all", () => {
    const args =
      "-name x -machine q35 -nodefaults -device {} -append quiet -add-fd fd=1 -no-reboot -sandbox on".split(
        " ",
      );
    assert.deepEqual(keepBare(args), ["-machine", "q35", "-nodefaults", "-append", "quiet", "-no-reboot"]);
  });
});

describe("withKernelWords", () => {
  it("puts words at the end of the kernel's command line", () => {
    const vm = { program: "qemu", args: ["-append", "quiet", "-m", "1"] };
    assert.deepEqual(withKernelWords(vm, ["--", "1"]).args, ["-append", "quiet -- 1", "-m", "1"]);
  });
});

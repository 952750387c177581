import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { commandAfterName } from "./command-arguments.ts";

describe("commandAfterName", () => {
  it("drops one separator", () =>
    assert.deepEqual(commandAfterName(["--", "ls", "--", "-l"]), ["ls", "--", "-l"]));
  it("does without a separator", () => assert.deepEqual(commandAfterName(["ls", "-l"]), ["ls", "-l"]));
  it("lets a command begin with a dash behind one", () =>
    assert.deepEqual(commandAfterName(["--", "-x"]), ["-x"]));
  it("refuses options behind the name", () => {
    assert.throws(() => commandAfterName(["-it", "--", "sh"]), { code: "ERR_USAGE", message: /-it/ });
  });
});

import assert from "node:assert/strict";
import { describe } from "node:test";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const RUN = ["run", "--agent", "kata", "--rm"];

describe("husk run --agent kata", () => {
  it("carries streams and the exit status, of a user by name", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const script = "id -un; cat; echo error >&2; exit 5";
    const { status, stdout, stderr } = await place.husk(
      [...RUN, "-i", "-u", "nobody", "--", "sh", "-c", script],
      {
        input: "input\n",
      },
    );
    assert.deepEqual([status, stdout.toString(), stderr], [5, "nobody\ninput\n", "error\n"]);
  });

  it("gives 127 when there is no such command, and leaves nothing", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { status, stderr } = await place.husk([...RUN, "--", "nosuch"]);
    assert.equal(status, 127);
    assert.match(stderr, /program "nosuch": not found \[ERR_PROGRAM_NOT_FOUND\]/);
  });
});

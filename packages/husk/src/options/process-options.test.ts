import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { makeCmd } from "./process-options.ts";

const PATH = { var: "PATH", value: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" };

describe("makeCmd", () => {
  it("gives the arguments and a search path", () => {
    assert.deepEqual(makeCmd(["ls", "-l"], {}, {}), { args: ["ls", "-l"], envs: [PATH] });
  });

  it("lets the user's variables win, the last of a name over the others", () => {
    const { envs } = makeCmd(["x"], { env: ["A=1", "PATH=/bin", "A=2=3", "EMPTY="] }, {});
    assert.deepEqual(envs, [
      { var: "PATH", value: "/bin" },
      { var: "A", value: "2=3" },
      { var: "EMPTY", value: "" },
    ]);
  });

  it("takes the value of a bare name from husk's environment, and leaves an unset one out", () => {
    const { envs } = makeCmd(["x"], { env: ["LANG", "MISSING"] }, { LANG: "C" });
    assert.deepEqual(envs, [PATH, { var: "LANG", value: "C" }]);
  });

  it("tells a terminal's kind", () => {
    const cmd = makeCmd(["x"], { tty: true }, { TERM: "vt220" });
    assert.equal(cmd.interactive, true);
    assert.deepEqual(cmd.envs, [PATH, { var: "TERM", value: "vt220" }]);
    assert.deepEqual(makeCmd(["x"], { tty: true }, {}).envs?.[1], { var: "TERM", value: "xterm" });
  });

  it("splits user and group", () => {
    assert.equal(makeCmd(["x"], { user: "nobody" }, {}).user, "nobody");
    assert.equal("primaryGroup" in makeCmd(["x"], { user: "nobody" }, {}), false);
    const cmd = makeCmd(["x"], { user: "1000:100" }, {});
    assert.deepEqual([cmd.user, cmd.primaryGroup], ["1000", "100"]);
  });

  it("passes an absolute working directory on", () => {
    assert.equal(makeCmd(["x"], { workdir: "/srv" }, {}).workDir, "/srv");
  });

  const refused: [name: string, args: string[], options: Parameters<typeof makeCmd>[1]][] = [
    ["no command", [], {}],
    ["a variable without a name", ["x"], { env: ["=1"] }],
    ["an empty variable", ["x"], { env: [""] }],
    ["a relative working directory", ["x"], { workdir: "srv" }],
    ["an empty user", ["x"], { user: "" }],
    ["an empty group", ["x"], { user: "root:" }],
    ["two groups", ["x"], { user: "root:a:b" }],
  ];
  for (const [name, args, options] of refused) {
    it(`refuses ${name}`, () => assert.throws(() => makeCmd(args, options, {}), { code: "ERR_USAGE" }));
  }
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DEFAULT_PATH, type EnvironmentSource, makeEnvironment, programCandidates } from "./environment.ts";

const ROOT = { uid: 0, gid: 0, groups: [0], name: "root", home: "/root" };
const make = (more: Partial<EnvironmentSource> = {}) => [
  ...makeEnvironment({ hostname: "pod", terminal: false, credentials: ROOT, envs: [], ...more }),
];

describe("an environment", () => {
  test("has a path, the host's name, the user's home and name", () => {
    assert.deepEqual(make(), [
      ["PATH", DEFAULT_PATH],
      ["HOSTNAME", "pod"],
      ["HOME", "/root"],
      ["USER", "root"],
    ]);
  });

  test("of a user that nobody knows has no name, and the root as home", () => {
    const names = Object.fromEntries(make({ credentials: { uid: 1, gid: 0, groups: [] } }));
    assert.deepEqual([names.HOME, "USER" in names], ["/", false]);
  });

  test("names a terminal where there is one", () => {
    assert.deepEqual(make({ terminal: true }).at(-1), ["TERM", "xterm"]);
  });

  test("is what was asked for, the last word first", () => {
    const envs = [
      { env: "PATH", value: "/own" },
      { env: "A", value: "1" },
      { env: "TERM", value: "vt100" },
      { env: "A", value: "" },
    ];
    const names = Object.fromEntries(make({ terminal: true, envs }));
    assert.deepEqual([names.PATH, names.A, names.TERM, names.HOME], ["/own", "", "vt100", "/root"]);
  });
});

describe("a program's name", () => {
  test("with a slash is a path", () => {
    for (const name of ["/bin/sh", "./sh", "bin/sh"])
      assert.deepEqual(programCandidates(name, DEFAULT_PATH), [name]);
  });

  test("without one is looked for in the folders of PATH, in order", () => {
    assert.deepEqual(programCandidates("sh", "/a:/b/c"), ["/a/sh", "/b/c/sh"]);
  });

  test("is never looked for in the working directory", () => {
    assert.deepEqual(programCandidates("sh", ":.:bin:/a:"), ["/a/sh"]);
    assert.deepEqual(programCandidates("sh", ""), []);
  });
});

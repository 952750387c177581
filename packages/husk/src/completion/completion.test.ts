import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { createProgram } from "../cli.ts";
import { doers, ownName, readCommandTree } from "./command-tree.ts";
import { renderCompletion } from "./shells.ts";

const tree = readCommandTree(createProgram({ exitWith() {} }));

/** Asks the generated bash script what it would offer. */
function completeInBash(...words: string[]): string[] {
  const script = `${renderCompletion("bash", tree)}
husk() { printf 'web\\ndb\\n'; }
COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); _husk; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync("bash", ["-c", script, "bash", ...words], { encoding: "utf8" });
  assert.equal(stderr, "");
  return stdout.split("\n").filter((word) => word !== "");
}

describe("readCommandTree", () => {
  it("knows every command, with its options", () => {
    const names = tree.map(({ name }) => name);
    assert.deepEqual(names, [
      "run",
      "exec",
      "attach",
      "logs",
      "wait",
      "cp",
      "top",
      "ps",
      "inspect",
      "network",
      "stats",
      "update",
      "pause",
      "resume",
      "stop",
      "rm",
      "flist",
      "module",
      "factory",
      "cache",
      "check",
      "completion",
      "version",
    ]);
    const memory = tree[0]?.options.find(({ long }) => long === "--memory");
    assert.equal(memory?.takesValue, true);
    const group = tree.find(({ name }) => name === "network");
    assert.deepEqual(group?.commands.map(ownName), ["ls", "add", "rm", "check"]);
  });
});

describe("bash completion", () => {
  it("offers commands", () => assert.deepEqual(completeInBash("husk", "ru"), ["run"]));
  it("offers options", () => assert.deepEqual(completeInBash("husk", "run", "--mach"), ["--machine"]));
  it("offers values", () => assert.deepEqual(completeInBash("husk", "run", "--machine", "m"), ["microvm"]));
  it("offers pods", () => assert.deepEqual(completeInBash("husk", "exec", ""), ["web", "db"]));
  it("offers shells", () => assert.deepEqual(completeInBash("husk", "completion", "f"), ["fish"]));
  it("offers the commands of a group, and what they take", () => {
    assert.deepEqual(completeInBash("husk", "network", ""), ["ls", "add", "rm", "check"]);
    assert.deepEqual(completeInBash("husk", "network", "rm", "w"), ["web"]);
    assert.deepEqual(completeInBash("husk", "network", "add", "--l"), ["--link"]);
    assert.deepEqual(completeInBash("husk", "rm", "--f"), ["--force"]);
  });
  it("leaves the value of an option to files", () =>
    assert.deepEqual(completeInBash("husk", "run", "--rootfs", ""), []));
});

describe("zsh and fish completion", () => {
  it("names every command and every long option", () => {
    const zsh = renderCompletion("zsh", tree);
    const fish = renderCompletion("fish", tree);
    for (const command of doers(tree)) {
      const { name, options } = command;
      assert.ok(zsh.includes(`    "${name}") _arguments `), name);
      assert.ok(fish.includes(`-a ${ownName(command)} -d `), name);
      for (const { long } of options) {
        assert.ok(zsh.includes(`'*${long}[`), long);
        assert.ok(fish.includes(` -l ${long?.slice(2)}`), long);
      }
    }
  });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { readPipeSizeWord, readVsockWord } from "./door-words.ts";

test("the last word says whether the host comes by vsock", () => {
  assert.equal(readVsockWord("quiet panic=1\n"), undefined);
  assert.equal(readVsockWord("agent.use_vsock=true quiet\n"), true);
  assert.equal(readVsockWord("agent.use_vsock=true agent.use_vsock=false"), false);
  assert.equal(readVsockWord("agent.use_vsock=1"), true);
  assert.equal(readVsockWord("xagent.use_vsock=true agent.use_vsock="), false);
});

test("the size of pipes is taken when it is one", () => {
  assert.equal(readPipeSizeWord("quiet"), undefined);
  assert.equal(readPipeSizeWord("agent.container_pipe_size=262144 quiet"), 262_144);
  for (const value of ["", "0", "-1", "1e6", "99999999999"])
    assert.equal(readPipeSizeWord(`agent.container_pipe_size=${value}`), undefined, value);
});

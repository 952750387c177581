import assert from "node:assert/strict";
import { test } from "node:test";
import { readVsockWord } from "./door-words.ts";

test("the last word says whether the host comes by vsock", () => {
  assert.equal(readVsockWord("quiet panic=1\n"), undefined);
  assert.equal(readVsockWord("agent.use_vsock=true quiet\n"), true);
  assert.equal(readVsockWord("agent.use_vsock=true agent.use_vsock=false"), false);
  assert.equal(readVsockWord("agent.use_vsock=1"), true);
  assert.equal(readVsockWord("xagent.use_vsock=true agent.use_vsock="), false);
});

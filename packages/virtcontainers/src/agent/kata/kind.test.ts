import assert from "node:assert/strict";
import { test } from "node:test";
import { KataAgentKind } from "./index.ts";

test("what the agent reads when it starts stands on the kernel's command line", () => {
  assert.deepEqual(new KataAgentKind().kernelParams, []);
  const { kernelParams } = new KataAgentKind({ debug: true, containerPipeSize: 262_144 });
  assert.deepEqual(kernelParams, [
    { key: "HUSK_LOG", value: "debug" },
    { key: "agent.container_pipe_size", value: "262144" },
  ]);
});

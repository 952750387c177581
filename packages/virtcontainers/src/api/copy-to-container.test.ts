import assert from "node:assert/strict";
import { test } from "node:test";
import { copyToContainer, createPod, runPod, stopContainer } from "../index.ts";
import { makeMockBench } from "../testing/mock-pod.ts";

test("what cannot be copied to is refused by name", async (t) => {
  const { config, container, rootFs, options } = makeMockBench(t);
  const mounts = [{ source: "tmpfs", destination: "/cache/", type: "tmpfs" }];
  await runPod(config({ containers: [{ ...container("a"), mounts }, container("b")] }), options);
  const source = `${rootFs}/hello`;
  await copyToContainer("pod", "a", source, "/cached", options);
  await copyToContainer("pod", "b", source, "/cache/", options);
  for (const there of ["/cache/x", "/cache/", "/other/../cache/x", "/proc/self/mem", "/dev/sda", "/sys"]) {
    const refused = { code: "ERR_NOT_SUPPORTED", message: /is on \/(cache|proc|dev|sys), / };
    await assert.rejects(copyToContainer("pod", "a", source, there, options), refused, there);
  }
  const relative = { code: "ERR_CONFIG_INVALID", message: /not absolute/ };
  await assert.rejects(copyToContainer("pod", "a", source, "etc/x", options), relative);
  await stopContainer("pod", "a", options);
  await assert.rejects(copyToContainer("pod", "a", source, "/x", options), { code: "ERR_STATE_INVALID" });
});

test("a pod that does not run yet gets nothing", async (t) => {
  const { config, rootFs, options } = makeMockBench(t);
  await createPod(config(), options);
  await assert.rejects(copyToContainer("pod", "a", `${rootFs}/hello`, "/x", options), {
    code: "ERR_STATE_INVALID",
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { splitName } from "./exec-in-container.ts";

describe("splitName", () => {
  it("takes a pod's name for its container's, too", () => {
    assert.deepEqual(splitName("web"), { podId: "web", containerId: "web" });
  });

  it("splits at the first slash", () => {
    assert.deepEqual(splitName("web/db"), { podId: "web", containerId: "db" });
    assert.deepEqual(splitName("a/b/c"), { podId: "a", containerId: "b/c" });
    assert.deepEqual(splitName("/db"), { podId: "", containerId: "db" });
  });
});

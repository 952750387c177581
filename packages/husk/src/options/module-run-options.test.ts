import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { UsageError } from "../usage-error.ts";
import { makeOpenOptions, refuseWithSocket, saysHowToOpen } from "./module-options.ts";
import { makeEntrypoint, makeMounts, makeRunOptions, makeSource } from "./module-run-options.ts";

describe("makeMounts", () => {
  it("reads source, target, type and options", () => {
    assert.deepEqual(makeMounts(["/srv:/data", "data:/data:bind:rbind,ro", "tmpfs:/tmp:tmpfs:size=1m"]), [
      { source: "/srv", target: "/data" },
      { source: join(process.cwd(), "data"), target: "/data", type: "bind", options: ["rbind", "ro"] },
      { source: "tmpfs", target: "/tmp", type: "tmpfs", options: ["size=1m"] },
    ]);
  });

  for (const text of ["/srv", ":/data", "/srv:", "/a:/b::ro", "/a:/b:bind:ro:x"]) {
    it(`refuses ${text}`, () => assert.throws(() => makeMounts([text]), UsageError));
  }
});

describe("makeEntrypoint", () => {
  it("takes a line, words, or neither", () => {
    assert.equal(makeEntrypoint("sh -c x", []), "sh -c x");
    assert.deepEqual(makeEntrypoint(undefined, ["sh", "-c"]), ["sh", "-c"]);
    assert.equal(makeEntrypoint(undefined, []), "");
    assert.throws(() => makeEntrypoint("sh", ["sh"]), /told twice/);
  });
});

describe("makeRunOptions", () => {
  it("says nothing of what was not typed, and all of what is half typed", () => {
    assert.deepEqual(makeRunOptions({}), {});
    assert.deepEqual(makeRunOptions({ restarts: 0, logMaxFiles: 2, workdir: "/srv", cpus: 0.5 }), {
      cwd: "/srv",
      cpus: 0.5,
      restart: { limit: 0, delayMs: 2000, stableMs: 60_000 },
      log: { maxBytes: 10 * 1024 * 1024, maxFiles: 2 },
    });
  });
});

describe("makeSource", () => {
  it("leaves addresses, and makes paths absolute", () => {
    assert.deepEqual(["https://a/b.fl", "/a", "a:tag"].map(makeSource), [
      "https://a/b.fl",
      "/a",
      join(process.cwd(), "a:tag"),
    ]);
  });
});

describe("how the module is opened", () => {
  it("is for who opens it, and not for who asks a service", () => {
    assert.ok(!saysHowToOpen({ socket: "/s" }) && saysHowToOpen({ allowStore: ["dir:///x"] }));
    assert.throws(() => refuseWithSocket({ socket: "/s", logRoot: "/l" }), /--log-root is for who opens/);
    refuseWithSocket({ socket: "/s" });
    const { backend, allowedStores } = makeOpenOptions({
      backend: "oci",
      runtime: "crun",
      allowStore: ["x"],
    });
    assert.deepEqual([backend, allowedStores], ["oci", ["x"]]);
    assert.throws(() => makeOpenOptions({ runtime: "crun" }), /--runtime is for the backend oci/);
  });
});

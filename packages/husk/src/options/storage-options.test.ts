import assert from "node:assert/strict";
import { resolve } from "node:path";
import { describe, it } from "node:test";
import { makeStorage } from "./storage-options.ts";

describe("makeStorage", () => {
  it("asks for nothing without options", () => assert.deepEqual(makeStorage({}), {}));

  it("makes binds of volumes, writable unless told otherwise", () => {
    const bind = { destination: "/data", type: "bind", options: ["rbind"] };
    assert.deepEqual(makeStorage({ volume: ["/srv:/data", "./here:/data:ro", "/a:/data:rw"] }).mounts, [
      { source: "/srv", ...bind, readOnly: false },
      { source: resolve("here"), ...bind, readOnly: true },
      { source: "/a", ...bind, readOnly: false },
    ]);
  });

  it("passes the options of a tmpfs on", () => {
    const tmpfs = { source: "tmpfs", destination: "/tmp", type: "tmpfs" };
    assert.deepEqual(makeStorage({ tmpfs: ["/tmp", "/tmp:size=1m,mode=700"] }).mounts, [
      { ...tmpfs, options: [] },
      { ...tmpfs, options: ["size=1m", "mode=700"] },
    ]);
  });

  it("gives a device its own path, or another", () => {
    assert.deepEqual(makeStorage({ device: ["/dev/null", "/dev/loop0:/dev/data"] }).deviceInfos, [
      { hostPath: "/dev/null", containerPath: "/dev/null" },
      { hostPath: "/dev/loop0", containerPath: "/dev/data" },
    ]);
  });

  it("shares the root", () => assert.deepEqual(makeStorage({ sharedRoot: true }), { sharedRootfs: true }));

  const refused: [name: string, options: Parameters<typeof makeStorage>[0]][] = [
    ["a volume without a place", { volume: ["/srv"] }],
    ["a volume without a source", { volume: [":/data"] }],
    ["a volume with another mode", { volume: ["/srv:/data:x"] }],
    ["a volume with a relative place", { volume: ["/srv:data"] }],
    ["a relative tmpfs", { tmpfs: ["tmp"] }],
    ["an empty device", { device: [""] }],
    ["a device with an empty place", { device: ["/dev/null:"] }],
    ["a device with three parts", { device: ["/dev/null:/dev/x:rw"] }],
  ];
  for (const [name, options] of refused) {
    it(`refuses ${name}`, () => assert.throws(() => makeStorage(options), { code: "ERR_USAGE" }));
  }
});

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { checkNetworks } from "./networks.ts";

describe("checkNetworks", () => {
  it("notes what is missing, and how to get it", () => {
    const results = checkNetworks({ PATH: "/nowhere" }, { pluginDirs: ["/none/at/all"], tun: "/none/tun" });
    assert.deepEqual(
      results.map(({ name, state }) => [name, state]),
      ["ip", "tc", "nsenter", "CNI plugins", "/none/tun"].map((name) => [name, "note"]),
    );
    assert.deepEqual(
      results.map(({ hint }) => hint?.split(" ").at(-1)),
      ["iproute2", "iproute2", "util-linux", "containernetworking-plugins", "tun"],
    );
  });

  it("is content with what is there", () => {
    const folder = mkdtempSync(join(tmpdir(), "husk-check-"));
    try {
      for (const name of ["ip", "tc", "nsenter"]) writeFileSync(join(folder, name), "", { mode: 0o755 });
      const places = { pluginDirs: ["/none/at/all", folder], tun: "/dev/null" };
      const results = checkNetworks({ PATH: folder }, places);
      assert.ok(results.every(({ state }) => state === "ok"));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

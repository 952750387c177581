import assert from "node:assert/strict";
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isHuskError } from "@husk/virtcontainers";
import { placesOf } from "../state/layout.ts";
import { makeTempDirectory, needsRoot } from "../testing/temp-directory.ts";
import { isMounted, mountOverlay, unmountOverlay } from "./overlay.ts";

test("what is written stays with the container, over mounts, and not with the root", needsRoot, async (t) => {
  const base = makeTempDirectory(t);
  const places = placesOf({ stateRoot: base, runRoot: base, logRoot: base }, { ns: "n", name: "c" });
  t.after(() => unmountOverlay(places));
  // Overlayfs takes a comma and a colon for the end of a path.
  const lower = join(base, "lower, with: odd \\ name");
  for (const path of [lower, places.bundle]) mkdirSync(path, { recursive: true });
  writeFileSync(join(lower, "file"), "below");
  chmodSync(lower, 0o1751);
  chownSync(lower, 5, 6);
  for (const text of ["below", "above"]) {
    await mountOverlay(places, lower);
    await mountOverlay(places, lower);
    assert.equal(readFileSync(join(places.rootfs, "file"), "utf8"), text);
    writeFileSync(join(places.rootfs, "file"), "above");
    const { mode, uid, gid } = statSync(places.rootfs);
    assert.deepEqual([mode & 0o7777, uid, gid], [0o1751, 5, 6]);
    await unmountOverlay(places);
    await unmountOverlay(places);
    assert.ok(!isMounted(places.rootfs) && !existsSync(join(places.rootfs, "file")));
  }
  assert.equal(readFileSync(join(lower, "file"), "utf8"), "below");
});

test("what cannot be mounted is told in mount's own words", needsRoot, async (t) => {
  const base = makeTempDirectory(t);
  const places = placesOf({ stateRoot: base, runRoot: base, logRoot: base }, { ns: "n", name: "c" });
  mkdirSync(places.bundle, { recursive: true });
  await assert.rejects(mountOverlay(places, "/none/such"), (error) => {
    return isHuskError(error, "ERR_STORE") && /\/none\/such cannot be mounted: /.test(error.message);
  });
});

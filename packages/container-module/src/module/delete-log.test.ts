import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openBackend } from "../backend/open-backend.ts";
import { claimName } from "../state/claim.ts";
import { type ContainerPlaces, placesOf } from "../state/layout.ts";
import { makeLog } from "../state/make-directories.ts";
import { makeTempDirectory } from "../testing/temp-directory.ts";
import type { ModuleContext } from "./context.ts";
import { deleteContainer } from "./delete-container.ts";

/** A module's context in directories of its own, and the places of a container that has left a log there. */
function leaveLog(t: TestContext): { context: ModuleContext; places: ContainerPlaces } {
  const base = makeTempDirectory(t);
  const directories = { stateRoot: join(base, "state"), runRoot: join(base, "run"), logRoot: base };
  const places = placesOf(directories, { ns: "acme", name: "web" });
  mkdirSync(places.logDirectory);
  for (const path of [places.log, `${places.log}.1`]) writeFileSync(path, "up\n");
  const backend = openBackend({ kind: "oci", runtime: "/bin/false" });
  return { context: { directories, backend, shim: "/bin/false", sources: {}, warn: assert.fail }, places };
}

test("the log of a container that is gone is removed, and nothing else is left of it", async (t) => {
  const { context, places } = leaveLog(t);
  await deleteContainer(context, places, { removeLog: true });
  const { stateRoot } = context.directories;
  const left = [places.logDirectory, join(stateRoot, "containers/acme")].map((path) => existsSync(path));
  const folders = ["staging", "trash"].flatMap((name) => readdirSync(join(stateRoot, name)));
  assert.deepEqual([left, folders], [[false, false], []]);
});

test("the log of one that is just being run keeps its directory", async (t) => {
  const { context, places } = leaveLog(t);
  const other = placesOf(context.directories, { ns: "acme", name: "other" });
  makeLog(other);
  await deleteContainer(context, places, { removeLog: true });
  assert.deepEqual(readdirSync(places.logDirectory), ["other.log"]);
  // What is there stays as it is, be it a link that leads nowhere.
  symlinkSync("/none", places.log);
  for (const each of [other, places]) makeLog(each);
  assert.equal(readlinkSync(places.log), "/none");
});

test("a log is removed only with the container that has its name by then", async (t) => {
  const { context, places } = leaveLog(t);
  const { stateRoot } = context.directories;
  const first = await claimName(stateRoot, places);
  const deletion = deleteContainer(context, places, { removeLog: true });
  // Before who waits has its lock, the first is gone, and somebody has run the next one.
  rmSync(places.directory, { recursive: true });
  const next = await claimName(stateRoot, places);
  for (const lock of [first, next]) lock.release();
  await deletion;
  assert.deepEqual([existsSync(places.directory), existsSync(places.log)], [false, false]);
});

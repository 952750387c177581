import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { needsDisk } from "../../test/support/disk.ts";
import { residentOf } from "../../test/support/fuzz-door.ts";
import {
  exec,
  makeSpec,
  runContainer,
  sh,
  startContainer,
  startSandbox,
  useRoot,
} from "../../test/support/kata-containers.ts";

useRoot();

const FLOOD = "while :; do echo flood; echo flood >&2; done";
/** KiB that a few more processes may take. */
const LITTLE_KIB = 1024;

describe("a container that writes without end", needsDisk, () => {
  test("is stopped by its own full pipes, and harms neither others nor the agent", async () => {
    await using session = await startSandbox();
    const flood = await startContainer(session, "flood", makeSpec(sh(FLOOD)));
    const more = [];
    for (let at = 0; at < 5; at++) more.push(await exec(session, "flood", `f${at}`, sh(FLOOD)));
    await runContainer(session, makeSpec(sh("true")));
    const before = residentOf(session);
    // Some of it is read, so that it goes on.
    const { data } = await session.call("ReadStdout", { ...flood.which, len: 4096 });
    assert.match(Buffer.from(data).toString(), /^(flood\n)+/);
    const { stdout } = await runContainer(session, makeSpec(sh("echo quiet")));
    assert.equal(stdout, "quiet\n");
    const grown = residentOf(session) - before;
    assert.ok(grown < LITTLE_KIB, `${grown} KiB more`);
    for (const process of [...more, flood]) await process.signal(9);
    assert.equal(await flood.wait(), 137);
    await session.call("RemoveContainer", { containerId: "flood" });
  });

  test("whose output nobody reads can be removed", async () => {
    await using session = await startSandbox();
    const flood = await startContainer(session, "flood", makeSpec(sh(FLOOD)));
    const end = flood.wait();
    await session.call("RemoveContainer", { containerId: "flood", timeout: 20 });
    assert.equal(await end, 137);
  });
});

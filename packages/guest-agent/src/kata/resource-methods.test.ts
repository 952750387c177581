import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { needsDisk } from "../../test/support/disk.ts";
import {
  createContainer,
  exec,
  makeSpec,
  NAMESPACES,
  sh,
  startContainer,
  startSandbox,
  useRoot,
} from "../../test/support/kata-containers.ts";

useRoot();

const CONTAINER = { containerId: "c" };
const SLEEPER = ["/bin/sleep", "1000"];
const ALL = { Major: -1n, Minor: -1n, Access: "rwm" };
/** What the kernel here has no driver for: only a rule can say "Operation not permitted". */
const OPEN_BLOCK = "[ -e /dev/block ] || busybox mknod /dev/block b 1 0; cat /dev/block 2>&1";
const MKNOD = ["CAP_MKNOD"];
const Capabilities = { Bounding: MKNOD, Effective: MKNOD, Permitted: MKNOD };

// What needs controllers, which hosts with cgroups of version 1 do not have here, is tested in a VM: e2e.
describe("what containers may use", needsDisk, () => {
  test("is paused and resumed, and killed while it is paused", async () => {
    await using session = await startSandbox();
    const process = await startContainer(session, "c", makeSpec(sh("read line; echo got $line; sleep 1000")));
    await session.call("PauseContainer", CONTAINER);
    await session.call("PauseContainer", CONTAINER);
    const refused = await session.refuse("ExecProcess", {
      ...CONTAINER,
      execId: "e",
      process: { Args: ["id"] },
    });
    assert.deepEqual(refused, { status: "FAILED_PRECONDITION", message: 'container "c" is paused' });
    await process.write("line\n");
    const output = session.call("ReadStdout", { ...process.which, len: 100 });
    const first = await Promise.race([output, session.health("Check").then(() => "nothing")]);
    assert.equal(first, "nothing");
    await session.call("ResumeContainer", CONTAINER);
    assert.equal(Buffer.from((await output).data).toString(), "got line\n");
    await session.call("PauseContainer", CONTAINER);
    const end = process.wait();
    await session.call("RemoveContainer", { ...CONTAINER, timeout: 10 });
    assert.equal(await end, 137);
  });

  test("ends with the sandbox, paused or not", async () => {
    await using session = await startSandbox();
    await startContainer(session, "c", makeSpec(sh("trap 'exit 4' TERM; while :; do sleep 0.1; done")));
    await session.call("PauseContainer", CONTAINER);
    await session.call("DestroySandbox", {});
  });

  test("is not paused before it is started, or when it has ended", async () => {
    await using session = await startSandbox();
    const process = await createContainer(session, "c", makeSpec(["/bin/true"]));
    const held = await session.refuse("PauseContainer", CONTAINER);
    assert.deepEqual(held, { status: "FAILED_PRECONDITION", message: 'container "c" is not started' });
    await session.call("StartContainer", CONTAINER);
    await process.wait();
    for (const method of [
      "PauseContainer",
      "ResumeContainer",
      "StatsContainer",
      "UpdateContainer",
    ] as const) {
      assert.deepEqual(await session.refuse(method, CONTAINER), {
        status: "FAILED_PRECONDITION",
        message: 'container "c" is not running',
      });
      assert.equal((await session.refuse(method, { containerId: "other" })).status, "NOT_FOUND");
    }
  });

  test("is counted", async () => {
    await using session = await startSandbox();
    await startContainer(session, "c", makeSpec(SLEEPER));
    const { cgroupStats, networkStats } = await session.call("StatsContainer", CONTAINER);
    assert.ok((cgroupStats?.cpuStats?.cpuUsage?.totalUsage ?? 0n) > 0n);
    assert.deepEqual(networkStats, []);
  });

  test("is limited to what every container needs, the devices named for it, or those of its rules", async () => {
    await using session = await startSandbox();
    const blocks = [{ Allow: true, Type: "b", ...ALL }];
    const none = [{ Allow: false, Type: "a", ...ALL }];
    const Devices = [{ Path: "/dev/block", Type: "b", Major: 1n, Minor: 0n }];
    const lists = [
      { Linux: {}, expected: /Operation not permitted/ },
      { Linux: { Resources: { Devices: blocks } }, expected: /No such device/ },
      { Linux: { Devices }, expected: /No such device/ },
      { Linux: { Devices, Resources: { Devices: none } }, expected: /Operation not permitted/ },
    ];
    for (const { Linux, expected } of lists) {
      const spec = makeSpec(
        sh(OPEN_BLOCK),
        { Linux: { Namespaces: NAMESPACES, ...Linux } },
        { Capabilities },
      );
      const process = await startContainer(session, "c", spec);
      assert.match((await process.result()).stdout, expected);
      await session.call("RemoveContainer", CONTAINER);
    }
  });

  test("is changed while it runs, or stays as it was", async () => {
    await using session = await startSandbox();
    await startContainer(session, "c", makeSpec(SLEEPER, {}, { Capabilities }));
    const look = async () =>
      (await (await exec(session, "c", "e", sh(OPEN_BLOCK), { Capabilities })).result()).stdout;
    assert.match(await look(), /Operation not permitted/);
    const resources = { Devices: [{ Allow: true, Type: "b", ...ALL }] };
    await session.call("UpdateContainer", { ...CONTAINER, resources });
    assert.match(await look(), /No such device/);
    const wrong = { Devices: [{ Allow: false, Type: "d", ...ALL }] };
    assert.deepEqual(await session.refuse("UpdateContainer", { ...CONTAINER, resources: wrong }), {
      status: "INVALID_ARGUMENT",
      message: 'Devices.Type is "d": it must be "a", "b" or "c"',
    });
    assert.match(await look(), /No such device/);
    const { status, message } = await session.refuse("UpdateContainer", CONTAINER);
    assert.deepEqual([status, message], ["INVALID_ARGUMENT", "the request has no resources"]);
  });

  test("is not what cannot be", async () => {
    await using session = await startSandbox();
    const Resources = { CPU: { RealtimeRuntime: 1000n } };
    const OCI = makeSpec(SLEEPER, { Linux: { Namespaces: NAMESPACES, Resources } });
    const { status, message } = await session.refuse("CreateContainer", { ...CONTAINER, execId: "c", OCI });
    assert.equal(status, "INVALID_ARGUMENT");
    assert.match(message, /^linux.resources: CPU.RealtimeRuntime 1000/);
    await startContainer(session, "c", makeSpec(SLEEPER));
  });
});

test("who waits for a container out of memory and goes leaves nothing", needsDisk, async () => {
  await using session = await startSandbox();
  const other = session.connect();
  const waiting = other.call("GetOOMEvent", {});
  waiting.catch(() => {});
  await other.health("Check");
  other.stream.close();
  await session.health("Check");
});

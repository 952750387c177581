import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Command, decodeVersion } from "@husk/wire/hyperstart";
import { describeContainer, startContainer, useDisk } from "../../test/support/containers.ts";
import { needsDisk } from "../../test/support/disk.ts";
import { Session } from "../../test/support/session.ts";

useDisk();

/** What Clear Containers' hosts begin with. */
const PODS = {
  second: { hostname: "pod", containers: [], interfaces: [], iptableRules: "" },
  third: { hostname: "pod", interfaces: [{ macAddr: "00:00:00:00:00:00", newDeviceName: "lo" }] },
};

async function startAs(pod: object | undefined): Promise<Session> {
  const session = await Session.start();
  if (!pod) assert.equal(decodeVersion(await session.ask(Command.GETVERSION)), 4244);
  await session.ask(Command.STARTPOD, pod ?? { hostname: "pod" });
  return session;
}

/** Starts a container as Clear Containers do, without an id of its process; gives the stream of its output. */
async function startNameless(session: Session, args: string[], more: object = {}): Promise<number> {
  const { request } = describeContainer(session, "a", args, {});
  const { id: _, ...process } = request.process;
  await session.ask(Command.NEWCONTAINER, { ...request, ...more, process });
  return request.process.stdio;
}

/** What came on a stream, the end as `null`. */
const heard = (session: Session, stdio: number) =>
  (session.streams.get(stdio) ?? []).map((bytes) => (bytes.length > 0 ? bytes.toString("latin1") : null));

describe("a host of hyperstart", needsDisk, () => {
  test("is told of an end by an event, and the container is gone", async () => {
    await using session = await startAs(undefined);
    assert.equal(await session.refuse(Command.GETPOD), "command GETPOD is not supported");
    const process = await startContainer(session, "a", ["sh", "-c", "echo out; exit 7"]);
    assert.equal((await process.result()).code, 7);
    assert.deepEqual(heard(session, process.stdio), ["out\n", null]);
    assert.equal(
      await session.refuse(Command.KILLCONTAINER, { container: "a", signal: 9 }),
      'no such container: "a"',
    );
    assert.equal(await session.refuse(Command.REMOVECONTAINER, { container: "a" }), 'no such container: "a"');
    assert.match(
      await session.refuse(Command.WINSIZE, { seq: 99, row: 1, column: 1 }),
      /^no process has stream 99$/,
    );
  });
});

describe("a host of Clear Containers 2", needsDisk, () => {
  test("reads the exit code behind the end of the output, and may signal what is gone", async () => {
    await using session = await startAs(PODS.second);
    await session.ask(Command.GETPOD, {});
    assert.equal(decodeVersion(await session.ask(Command.GETVERSION)), 4242);
    const stdio = await startNameless(session, ["sh", "-c", "echo out; exit 7"]);
    await session.until(() => heard(session, stdio).length === 3);
    assert.deepEqual(heard(session, stdio), ["out\n", null, "\x07"]);
    assert.equal(session.exits.size, 0);
    await session.ask(Command.KILLCONTAINER, { container: "a", signal: 9, allProcesses: true });
    await session.ask(Command.WINSIZE, { seq: stdio, row: 24, column: 80 });
    await session.refuse(Command.REMOVECONTAINER, { container: "a" });
  });

  test("cannot have rules for iptables", async () => {
    await using session = await Session.start();
    const text = await session.refuse(Command.STARTPOD, { iptableRules: "*filter\nCOMMIT\n" });
    assert.equal(text, "not supported: iptableRules; use portmappingWhiteLists");
  });
});

describe("a host of Clear Containers 3", needsDisk, () => {
  test("keeps a container that has ended until it is removed", async () => {
    await using session = await startAs(PODS.third);
    assert.equal(await session.refuse(Command.GETVERSION), "command GETVERSION is not supported");
    assert.equal(await session.refuse(Command.GETPOD), "command GETPOD is not supported");
    const stdio = await startNameless(session, ["sleep", "1000"], { constraints: {} });
    const exec = { args: ["/bin/sh", "-c", "exit 3"], ...session.nextSeqs() };
    await session.ask(Command.EXECCMD, { container: "a", process: exec });
    await session.until(() => heard(session, exec.stdio).length === 2);
    assert.deepEqual(heard(session, exec.stdio), [null, "\x03"]);
    await session.ask(Command.KILLCONTAINER, { container: "a", signal: 9, allProcesses: true });
    await session.until(() => heard(session, stdio).length === 2);
    assert.deepEqual(heard(session, stdio), [null, "\x89"]);
    await session.ask(Command.KILLCONTAINER, { container: "a", signal: 15 });
    assert.match(await session.refuse(Command.EXECCMD, { container: "a", process: exec }), /is not running$/);
    const { request } = describeContainer(session, "a", ["true"], {});
    assert.equal(await session.refuse(Command.NEWCONTAINER, request), 'container "a" is there already');
    await session.ask(Command.REMOVECONTAINER, { container: "a" });
    assert.match(await session.refuse(Command.REMOVECONTAINER, { container: "a" }), /^no such container/);
    await session.refuse(Command.KILLCONTAINER, { container: "a", signal: 15 });
  });

  test("ends the machine itself: DESTROYPOD leaves the agent running, twice", async () => {
    await using session = await startAs(PODS.third);
    await startNameless(session, ["sleep", "1000"]);
    await session.ask(Command.DESTROYPOD);
    await session.ask(Command.DESTROYPOD);
    await session.ping();
    await session.ask(Command.STARTPOD, { hostname: "again" });
  });

  test("resizes a terminal by its stream", async () => {
    await using session = await startAs(PODS.third);
    const { request } = describeContainer(session, "a", ["/bin/sh"], {
      process: { terminal: true, stderr: 0 },
    });
    await session.ask(Command.NEWCONTAINER, request);
    await session.ask(Command.WINSIZE, { seq: request.process.stdio, row: 33, column: 99 });
    await session.sendInput(request.process.stdio, Buffer.from("stty size\n"));
    await session.until(() => heard(session, request.process.stdio).join("").includes("33 99"));
  });
});

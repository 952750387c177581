import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { Command, encodeControl, encodeWriteFile, PSCONTAINER } from "@husk/wire/hyperstart";
import { exec, sh, startContainer, startPod, useDisk } from "../../test/support/containers.ts";
import { needsDisk } from "../../test/support/disk.ts";
import type { Session } from "../../test/support/session.ts";
import { runOwn } from "../../test/support/shell.ts";

useDisk();

const read = (session: Session, file: string) => session.ask(Command.READFILE, { container: "a", file });

const refuseRead = (session: Session, file: string) =>
  session.refuse(Command.READFILE, { container: "a", file });

async function write(session: Session, file: string, data: Uint8Array | string) {
  const bytes = typeof data === "string" ? Buffer.from(data) : data;
  session.sendControl(encodeControl(Command.WRITEFILE, encodeWriteFile("a", file, bytes)));
  const { command, payload } = await session.nextReply();
  return { done: command === Command.ACK, text: Buffer.from(payload).toString() };
}

async function startWithScript(session: Session, script: string): Promise<void> {
  const process = await startContainer(session, "a", sh(`${script}; echo ready; sleep 1000`));
  await process.outputUntil((output) => output.includes("ready"));
}

describe("WRITEFILE and READFILE", needsDisk, () => {
  test("what is written is what the container and the host read", async () => {
    await using session = await startPod();
    await startWithScript(session, ":");
    for (const data of [randomBytes(256 * 1024), Buffer.from('}{"x"'), Buffer.alloc(0)]) {
      assert.deepEqual(await write(session, "/home/a}b", data), { done: true, text: "" });
      assert.deepEqual(Buffer.from(await read(session, "/home/a}b")), data);
    }
    await write(session, "/home/a}b", "a longer text than the next");
    await write(session, "/home/a}b", "short");
    const shown = await exec(session, "a", "cat '/home/a}b'; ls -l '/home/a}b' | cut -c1-10");
    assert.equal((await shown.result()).stdout, "short-rw-r--r--\n");
  });

  test("a file of /proc is read to its end; a directory is an error (row 19)", async () => {
    await using session = await startPod();
    await startWithScript(session, ":");
    assert.match(Buffer.from(await read(session, "/proc/1/status")).toString(), /^Name:.*\nUmask:/);
    assert.match(Buffer.from(await read(session, "/etc/passwd")).toString(), /^root:/);
    assert.equal(await refuseRead(session, "/etc"), 'file "/etc": it is a directory');
    assert.match(await refuseRead(session, "/none"), /^file "\/none": openat2 .*No such file/);
    assert.equal((await write(session, "/etc", "x")).done, false);
    assert.equal((await write(session, "/none/file", "x")).done, false);
  });

  test("a link leads nowhere but into the container", async () => {
    await using session = await startPod();
    await startWithScript(
      session,
      "busybox ln -s /etc/passwd /inner; busybox ln -s /proc/1/root/etc/passwd /outer; busybox ln -s ../../../../etc/group /up",
    );
    assert.match(
      Buffer.from(await read(session, "/inner")).toString(),
      /^root:x:0:0::\/root:\/bin\/sh\nworker/,
    );
    assert.match(Buffer.from(await read(session, "/up")).toString(), /\nworkers:x:1001:\n/);
    assert.match(await refuseRead(session, "/outer"), /^file "\/outer": openat2 /);
    assert.equal((await write(session, "/outer", "x")).done, false);
  });

  test("what is no regular file does not hold the agent up", async () => {
    await using session = await startPod();
    await startWithScript(session, "busybox mkfifo /fifo");
    assert.equal(await refuseRead(session, "/fifo"), 'file "/fifo": it is not a regular file');
    assert.equal(await refuseRead(session, "/dev/zero"), 'file "/dev/zero": it is not a regular file');
    assert.equal((await write(session, "/fifo", "x")).done, false);
    assert.equal((await write(session, "/dev/null", "x")).done, false);
    await session.ping();
  });

  test("a frozen container is read and written all the same", async () => {
    await using session = await startPod();
    await startWithScript(session, ":");
    const freeze = (state: number) =>
      runOwn(session, "sh", "-c", `echo ${state} > /sys/fs/cgroup/husk/a/cgroup.freeze`);
    await freeze(1);
    assert.equal((await write(session, "/x", "frozen")).done, true);
    assert.equal(Buffer.from(await read(session, "/x")).toString(), "frozen");
    const table = await session.ask(PSCONTAINER, { container: "a", format: "table", psargs: ["-o", "args"] });
    assert.match(Buffer.from(table).toString(), /^COMMAND\n.*sleep 1000\n/);
    await freeze(0);
  });

  test("a file too long, or of a container that is not there, is refused", async () => {
    await using session = await startPod();
    await startWithScript(session, "busybox dd if=/dev/zero of=/long bs=1k seek=9000 count=1 2>/dev/null");
    assert.equal(await refuseRead(session, "/long"), 'file "/long": longer than 8388608 bytes');
    const request = { container: "none", file: "/x" };
    assert.equal(await session.refuse(Command.READFILE, request), 'no such container: "none"');
    assert.match(await session.refuse(Command.WRITEFILE, request), /^no such container: "none"$/);
    assert.equal(
      await session.refuse(Command.WRITEFILE, "x"),
      "the payload does not begin with a JSON object",
    );
  });
});

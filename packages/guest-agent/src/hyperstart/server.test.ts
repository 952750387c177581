import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Command, commandName, decodeVersion, encodeControl, encodeStream } from "@husk/wire/hyperstart";
import { Session } from "../../test/support/session.ts";
import { needsStage } from "../../test/support/stage.ts";

/** A header of the control channel with any length in it. */
function header(command: number, length: number): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, command);
  view.setUint32(4, length);
  return bytes;
}

const kinds = (session: Session, from = 0) => session.arrivals.slice(from).map(({ kind }) => kind);

/** A command with a payload, which is refused as long as there is no such process. */
const SIGNAL = { container: "hyperstart", process: "none", signal: 15 };

describe("the control channel", needsStage, () => {
  test("the agent says READY once, and which API it has", async () => {
    await using session = await Session.start();
    assert.equal(decodeVersion(await session.ask(Command.GETVERSION)), 4244);
    await session.ping();
    assert.deepEqual(kinds(session), ["READY", "NEXT", "ACK", "NEXT", "ACK"]);
  });

  test("a command without payload may carry nothing, null, {} or an empty string", async () => {
    await using session = await Session.start();
    for (const payload of [undefined, null, {}, ""]) await session.ask(Command.PING, payload);
    assert.equal(decodeVersion(await session.ask(Command.GETVERSION, null)), 4244);
  });

  test("a frame may be split at every byte (row 3)", async () => {
    await using session = await Session.start();
    const frame = encodeControl(Command.SIGNALPROCESS, JSON.stringify(SIGNAL));
    let sent = 0;
    const send = async (bytes: Uint8Array) => {
      session.sendControl(bytes);
      sent += bytes.length;
      // The agent has read the first part when it says so: what follows is a read of its own.
      await session.until(() => session.acknowledged === sent);
    };
    for (let at = 1; at < frame.length; at++) {
      await send(frame.subarray(0, at));
      await send(frame.subarray(at));
      assert.equal((await session.nextReply()).command, Command.ERROR);
    }
    for (const byte of encodeControl(Command.PING)) await send(Uint8Array.of(byte));
    assert.equal((await session.nextReply()).command, Command.ACK);
  });

  test("the sum of NEXT is the bytes sent, and comes before the answer", async () => {
    await using session = await Session.start();
    const frame = encodeControl(
      Command.SIGNALPROCESS,
      JSON.stringify({ ...SIGNAL, more: "x".repeat(200_000) }),
    );
    session.sendControl(frame);
    await session.nextReply();
    assert.equal(session.acknowledged, frame.length);
    assert.equal(session.arrivals.at(-1)?.kind, "ERROR");
    assert.deepEqual([...new Set(kinds(session, 1).slice(0, -1))], ["NEXT"]);
  });

  test("more commands than are queued, in one write, are answered in order", async () => {
    await using session = await Session.start();
    const frames = Array.from({ length: 300 }, (_, at) =>
      at % 3 === 0 ? encodeControl(99) : encodeControl(at % 3 === 1 ? Command.GETVERSION : Command.PING),
    );
    session.sendControl(Buffer.concat(frames));
    for (const at of frames.keys()) {
      const { command, payload } = await session.nextReply();
      const expected = [
        [Command.ERROR, -1],
        [Command.ACK, 4],
        [Command.ACK, 0],
      ][at % 3] as [number, number];
      assert.equal(command, expected[0]);
      if (expected[1] >= 0) assert.equal(payload.length, expected[1]);
    }
    assert.equal(session.acknowledged, 300 * 8);
  });

  test("a command that is unknown, the agent's own or not there yet is refused by name (row 19)", async () => {
    await using session = await Session.start();
    const codes = [2, 3, 5, 7, 9, 10, 13, 14, 26, 99, 0x7fffffff, 0xffffffff];
    for (const code of codes) {
      assert.equal(await session.refuse(code, {}), `command ${commandName(code)} is not supported`);
    }
    await session.ping();
  });

  test("what a command lacks is told, and the agent lives (row 2)", async () => {
    await using session = await Session.start();
    await session.ask(Command.GETVERSION);
    const process = { args: ["true"], stdio: 1, stderr: 2 };
    const refusals: [code: number, payload: unknown, text: RegExp][] = [
      [Command.EXECCMD, { container: "hyperstart", process }, /^process\.id: is missing$/],
      [Command.EXECCMD, { process: { ...process, id: "a" } }, /^container: is missing$/],
      [Command.EXECCMD, { container: "hyperstart" }, /^process: is missing$/],
      [Command.EXECCMD, { container: "none", process: { ...process, id: "a" } }, /^the pod is not started$/],
      [Command.KILLCONTAINER, { signal: 9 }, /^container: is missing$/],
      [Command.KILLCONTAINER, { container: "none", signal: 9 }, /^the pod is not started$/],
      [Command.SIGNALPROCESS, { container: "hyperstart" }, /^process: is missing$/],
      [Command.SIGNALPROCESS, SIGNAL, /^no such process: "none"$/],
      [Command.SIGNALPROCESS, { ...SIGNAL, signal: 65 }, /^signal: /],
      [Command.WINSIZE, {}, /^container: is missing$/],
      [Command.REMOVECONTAINER, null, /./],
      [Command.NEWCONTAINER, [], /./],
      [Command.STARTPOD, "garbage", /./],
    ];
    for (const [code, payload, text] of refusals) assert.match(await session.refuse(code, payload), text);
    session.sendControl(encodeControl(Command.STARTPOD, "{not JSON"));
    assert.equal((await session.nextReply()).command, Command.ERROR);
    await session.ping();
  });
});

describe("a channel whose frames are lost", needsStage, () => {
  for (const length of [0, 7, 16 * 1024 * 1024 + 1, 0xffffffff]) {
    test(`a control frame of ${length} bytes is refused after what came before it (row 3)`, async () => {
      await using session = await Session.start();
      session.sendControl(Buffer.concat([encodeControl(Command.PING), header(Command.PING, length)]));
      assert.equal((await session.nextReply()).command, Command.ACK);
      const { command, payload } = await session.nextReply();
      assert.deepEqual(
        [command, /a frame claims \d+ bytes/.test(Buffer.from(payload).toString())],
        [10, true],
      );
      // Nothing that follows is taken for a command, but it is acknowledged, and the agent lives.
      session.sendControl(Buffer.concat([encodeControl(Command.PING), encodeControl(Command.DESTROYPOD)]));
      await session.until(() => session.acknowledged === 32);
      await session.sendStream(encodeStream(77));
      await session.until(() => session.endsOf(77) === 1);
      assert.equal(session.arrivals.filter(({ kind }) => kind === "ACK" || kind === "ERROR").length, 2);
    });
  }

  for (const length of [0, 11, 65537, 0xffffffff]) {
    test(`a stream frame of ${length} bytes hurts no process (row 3)`, async () => {
      await using session = await Session.start();
      const bad = encodeStream(78);
      new DataView(bad.buffer).setUint32(8, length);
      await session.sendStream(Buffer.concat([encodeStream(79), bad, encodeStream(80)]));
      await session.until(() => session.endsOf(79) === 1);
      const process = await session.exec(["echo", "alive"]);
      assert.deepEqual(await process.result(), { code: 0, stdout: "alive\n", stderr: "" });
      assert.equal(session.endsOf(80), 0);
    });
  }
});

test("a host that hangs up without reading its answers ends the agent too", needsStage, async () => {
  for (let round = 0; round < 5; round++) {
    await using session = await Session.start();
    session.sendControl(Buffer.concat(Array.from({ length: 500 }, () => encodeControl(Command.PING))));
    await session.sendStream(Buffer.concat(Array.from({ length: 500 }, (_, at) => encodeStream(at))));
    await session.nextReply();
  }
});

import assert from "node:assert/strict";
import { once } from "node:events";
import { createConnection } from "node:net";
import { test } from "node:test";
import { YamuxSession } from "@husk/wire/yamux";
import { makeKataBench } from "../../testing/open-kata.ts";

/** Header of a data frame of stream 1 that promises some bytes. */
const dataHeader = (length: number) =>
  Buffer.from([0, 0, 0, 0, 0, 0, 0, 1, 0, 0, length >> 8, length & 0xff]);

async function connectRaw(path: string) {
  const socket = createConnection(path);
  await once(socket, "connect");
  return socket;
}

test("a new owner finds a new session, though the guest has not seen that the old one has gone", async (t) => {
  const { directory, peer, open } = await makeKataBench(t);
  peer.missesHangUps = true;
  const old = await connectRaw(directory.socket("kata"));
  const yamux = new YamuxSession({ role: "client", sink: (frame) => old.write(frame) });
  for (let stream = 0; stream < 3; stream++) yamux.openStream().write(Buffer.from("partial"));
  await once(old, "data");
  old.destroy();
  const session = await open();
  assert.equal(session.isOwner, true);
  await session.agent.check();
});

test("a session that was left in the middle of a frame is got out of", async (t) => {
  const { directory, peer, open } = await makeKataBench(t);
  peer.missesHangUps = true;
  const old = await connectRaw(directory.socket("kata"));
  const yamux = new YamuxSession({ role: "client", sink: (frame) => old.write(frame) });
  yamux.openStream();
  // The guest takes what comes next for the rest of this frame, until it sees that its host has gone.
  old.write(Buffer.concat([dataHeader(60_000), Buffer.from("a piece")]));
  await once(old, "data");
  old.destroy();
  const opening = open({ deadlineFactor: 1 });
  setTimeout(() => {
    peer.missesHangUps = false;
  }, 100);
  assert.equal((await opening).isOwner, true);
});

test("what comes before the answer is another's, wherever the pieces are cut", async (t) => {
  const { takeOver } = await import("./take-over.ts");
  const { directory } = await makeKataBench(t);
  const { createServer } = await import("node:net");
  const path = `${directory.path}/raw.sock`;
  const server = createServer((socket) => {
    socket.on("data", (chunk) => {
      const ping = chunk.subarray(chunk.length - 12);
      if (ping[1] !== 2) return;
      const pong = Buffer.from(ping);
      pong[3] = 2;
      const bytes = Buffer.concat([Buffer.from("rubbish of another"), pong, Buffer.from("ours")]);
      for (const byte of bytes) socket.write(Buffer.from([byte]));
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.after(() => server.close());
  const socket = await connectRaw(path);
  t.after(() => socket.destroy());
  await takeOver(socket, { timeoutMs: 60_000 });
  let received = "";
  for await (const chunk of socket) {
    received += chunk;
    if (received.includes("ours")) break;
  }
  assert.ok(received.startsWith("ours"), received);
});

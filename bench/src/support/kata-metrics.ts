import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { AgentService } from "@husk/wire/kata";
import { decodeMessage, encodeMessage } from "@husk/wire/protobuf";
import { TtrpcClient } from "@husk/wire/ttrpc";
import { SendQueue, YamuxSession } from "@husk/wire/yamux";

/** GOAWAY, which ends the session of whoever had the port before. */
const END_SESSION = Buffer.from([0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
const PING = [0, 2, 0, 1, 0, 0, 0, 0];
const PONG = [0, 2, 0, 2, 0, 0, 0, 0];
/** milliseconds between two questions for a sign of life; one may be lost with the session before */
const REPETITION = 50;

/** Asks a Kata agent for its figures, by the names that it gives them; nobody else may have its port. */
export async function askKataAgent(path: string): Promise<Map<string, number>> {
  const socket = connect(path);
  await once(socket, "connect");
  await beginSession(socket);
  const text = await getMetrics(socket);
  socket.destroy();
  return readMetrics(text);
}

async function beginSession(socket: Socket): Promise<void> {
  const number = randomBytes(4);
  const ask = () => socket.write(Buffer.concat([Buffer.from(PING), number]));
  socket.write(END_SESSION);
  ask();
  const timer = setInterval(ask, REPETITION);
  let received = Buffer.alloc(0);
  while (!received.includes(Buffer.concat([Buffer.from(PONG), number]))) {
    const [chunk] = (await once(socket, "data")) as [Buffer];
    received = Buffer.concat([received, chunk]);
  }
  clearInterval(timer);
}

function getMetrics(socket: Socket): Promise<string> {
  const yamux = new YamuxSession({ role: "client", sink: (frame) => socket.write(frame) });
  const queue = new SendQueue(yamux.openStream());
  const client = new TtrpcClient({ send: (message) => void queue.push(message) });
  socket.on("data", (chunk: Buffer) => {
    for (const event of yamux.feed(chunk)) {
      if (event.kind === "data") {
        client.feed(event.data);
        event.stream.consume(event.data.length);
      } else if (event.kind === "writable") queue.flush();
    }
  });
  const { request, response } = AgentService.methods.GetMetrics;
  const payload = encodeMessage(request, {});
  return client
    .call(AgentService.name, "GetMetrics", payload)
    .then((answer) => decodeMessage(response, answer).metrics);
}

/** Reads lines `name value`, and leaves out those of names with labels. */
function readMetrics(text: string): Map<string, number> {
  const lines = text.matchAll(/^(\w+) ([\d.e+]+)$/gm);
  return new Map([...lines].map(([, name = "", value]) => [name, Number(value)]));
}

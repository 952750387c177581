import assert from "node:assert/strict";
import { createServer as createHttp2Server, type ServerHttp2Stream } from "node:http2";
import { createServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type TestContext, test } from "node:test";
import { AgentService, Health, HealthCheckResponse_ServingStatus } from "@husk/wire/kata";
import { decodeMessage, encodeMessage } from "@husk/wire/protobuf";
import { YamuxSession, type YamuxStream } from "@husk/wire/yamux";
import { takeMessage, wrapMessage } from "../../grpc/grpc-frame.ts";
import { makePodDirectory, openOptions } from "../../testing/open-agent.ts";
import { KataAgentKind } from "./index.ts";
import { YamuxDuplex } from "./yamux-duplex.ts";

/** An agent of Kata 1.x: gRPC over HTTP/2 over a stream of yamux on the pod's socket. */
async function listenOldAgent(test: TestContext, path: string): Promise<string[]> {
  const asked: string[] = [];
  const http2 = createHttp2Server();
  http2.on("stream", (stream, headers) => {
    const name = String(headers[":path"]);
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", () => {});
    stream.on("end", () => {
      // The call was given up.
      if (stream.destroyed) return;
      asked.push(`${name} ${headers["content-type"]} ${headers.te}`);
      answer(stream, name, takeMessage(Buffer.concat(chunks)) ?? new Uint8Array(0));
    });
  });
  const server = createServer((socket) => serveYamux(socket, (stream) => http2.emit("connection", stream)));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  test.after(() => {
    server.close();
    http2.close();
  });
  return asked;
}

function serveYamux(socket: Socket, accept: (stream: Duplex) => void): void {
  const streams = new Map<YamuxStream, YamuxDuplex>();
  const yamux = new YamuxSession({ role: "server", sink: (frame) => socket.write(frame) });
  const handle = (events: ReturnType<YamuxSession["feed"]>) => {
    for (const event of events) {
      if (event.kind === "stream") {
        event.stream.accept();
        const duplex = new YamuxDuplex(event.stream);
        streams.set(event.stream, duplex);
        accept(duplex);
      } else if (event.kind === "data") streams.get(event.stream)?.takeData(event.data);
      else if (event.kind === "writable") streams.get(event.stream)?.takeRoom();
      else if (event.kind === "reset") streams.get(event.stream)?.takeReset();
    }
  };
  socket.on("data", (chunk: Buffer) => handle(yamux.feed(chunk)));
  socket.on("drain", () => handle(yamux.resume()));
  socket.on("error", () => socket.destroy());
  socket.on("close", () => handle(yamux.end()));
}

function answer(stream: ServerHttp2Stream, name: string, payload: Uint8Array): void {
  const { request, response } = AgentService.methods.ReadStdout;
  if (name === "/grpc.AgentService/ReadStdout") {
    const { len } = decodeMessage(request, payload);
    if (len === 0) fail(stream, 2, "EOF");
    else succeed(stream, encodeMessage(response, { data: Buffer.alloc(len, "x") }));
  } else if (name === "/grpc.Health/Version") {
    succeed(stream, encodeMessage(Health.methods.Version.response, { agentVersion: "1.13.0" }));
  } else if (name === "/grpc.Health/Check") {
    const status = HealthCheckResponse_ServingStatus.SERVING;
    succeed(stream, encodeMessage(Health.methods.Check.response, { status }));
  } else fail(stream, 12, "unknown%20method%21");
}

function succeed(stream: ServerHttp2Stream, payload: Uint8Array): void {
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.end(wrapMessage(payload));
}

function fail(stream: ServerHttp2Stream, status: number, text: string): void {
  stream.respond(
    {
      ":status": 200,
      "content-type": "application/grpc",
      "grpc-status": String(status),
      "grpc-message": text,
    },
    { endStream: true },
  );
}

test("an agent of Kata 1.x is driven by gRPC", async (t) => {
  const directory = makePodDirectory(t);
  const asked = await listenOldAgent(t, directory.socket("kata"));
  const kind = new KataAgentKind({ protocol: "grpc" });
  const owner = await kind.open({ ...openOptions(directory, []), fresh: true });
  t.after(() => owner?.close());
  assert.deepEqual(asked, ["/grpc.Health/Version application/grpc trailers"]);
  // As much as was asked for, which is more than a window of HTTP/2.
  assert.ok(((await owner?.agent.readProcessStdout("c", "c"))?.length ?? 0) > 100_000);
  await assert.rejects(async () => owner?.agent.pauseContainer("c"), {
    code: "ERR_NOT_SUPPORTED",
    message: "the agent refused PauseContainer: unknown method!",
  });
  // Others go through the owner, whatever is spoken.
  const client = await kind.open(openOptions(directory, []));
  t.after(() => client?.close());
  assert.equal(client?.isOwner, false);
  await client?.agent.check();
  client?.close();
  await assert.rejects(async () => client?.agent.check(), { code: "ERR_AGENT_DISCONNECTED" });
});

test("a call that is given up ends, and the connection goes on", async (t) => {
  const directory = makePodDirectory(t);
  await listenOldAgent(t, directory.socket("kata"));
  const session = await new KataAgentKind({ protocol: "grpc" }).open({
    ...openOptions(directory, []),
    fresh: true,
  });
  t.after(() => session?.close());
  const gone = new AbortController();
  const checking = session?.agent.check({ signal: gone.signal });
  gone.abort();
  await assert.rejects(async () => checking, { code: "ERR_ABORTED" });
  await session?.agent.check();
});

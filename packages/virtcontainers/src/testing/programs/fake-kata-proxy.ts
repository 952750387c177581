/** A proxy with a fake Kata agent in it, started as kata-proxy is: on inherited descriptors of its lock and its socket. */

import { createServer, type Socket } from "node:net";
import { TtrpcServer } from "@husk/wire/ttrpc";
import { FakeKata } from "../fake-kata.ts";

const LISTEN_FD = 4;

const agent = new FakeKata();
agent.program = (process) => {
  const [what = "", ...words] = process.request?.Args ?? [];
  if (what === "say") {
    process.out(`${words[0]}\n`);
    process.exit(Number(words[1] ?? 0));
  } else if (what === "cat") {
    process.onStdin = (data) => {
      process.out(data);
      if (data.length === 0) process.exit(0);
    };
  }
};

agent.overrides.set("DestroySandbox", () => {
  for (const one of agent.processes) one.exit(137);
  return {};
});

function serve(socket: Socket): void {
  const server = new TtrpcServer({ services: agent.services, send: (bytes) => void socket.write(bytes) });
  socket.on("data", (chunk) => server.feed(chunk));
  socket.on("error", () => socket.destroy());
  socket.once("close", () => server.end());
}

createServer(serve).listen({ fd: LISTEN_FD });
process.once("SIGTERM", () => process.exit(0));

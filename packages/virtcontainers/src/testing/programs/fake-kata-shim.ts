/** A shim that does the least of what kata-shim does: output, log, exit file, exit status. */

import { appendFileSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { encodeHello } from "@husk/wire/attach";
import { AgentService } from "@husk/wire/kata";
import { decodeMessage, encodeMessage } from "@husk/wire/protobuf";
import { StatusCode, TtrpcClient, type TtrpcResponse } from "@husk/wire/ttrpc";

const LOST = 255;

const flags = new Map<string, string>();
for (let at = 2; at < process.argv.length; ) {
  const [name = "", value = ""] = process.argv.slice(at, at + 2);
  const isAlone = ["-terminal", "-interactive", "-debug"].includes(name);
  flags.set(name.slice(1), isAlone ? "" : value);
  at += isAlone ? 1 : 2;
}
const names = { containerId: flags.get("container") ?? "", execId: flags.get("exec-id") ?? "" };
const socket = connect((flags.get("agent") ?? "").replace("unix://", ""));
const client = new TtrpcClient({ send: (bytes) => void socket.write(bytes) });
socket.on("data", (chunk) => client.feed(chunk));
socket.on("error", () => socket.destroy());
socket.once("close", () => end({ lost: "the proxy has gone" }, LOST));
if (flags.has("attach-fd")) createServer(greet).listen({ fd: Number(flags.get("attach-fd")) });

function greet(client: Socket): void {
  const hello = { containerId: names.containerId, terminal: false, interactive: false };
  client.write(encodeHello({ ...hello, positions: { stdout: 0, stderr: 0 } }));
  client.on("error", () => client.destroy());
  client.resume();
}

function ask(method: keyof typeof AgentService.methods, request: object): Promise<TtrpcResponse> {
  const { request: schema } = AgentService.methods[method];
  const payload = encodeMessage(schema as never, request as never);
  return new Promise((resolve) => client.start(AgentService.name, method, payload, resolve, {}));
}

function end(exit: object, status: number): never {
  const path = flags.get("exit-file");
  if (path !== undefined) {
    writeFileSync(`${path}.new`, JSON.stringify({ ...exit, time: new Date().toISOString() }));
    renameSync(`${path}.new`, path);
  }
  process.exit(status);
}

async function readAll(): Promise<void> {
  for (;;) {
    const { status, payload } = await ask("ReadStdout", { ...names, len: 65536 });
    if (status.code !== StatusCode.OK) return;
    const { data } = decodeMessage(AgentService.methods.ReadStdout.response, payload);
    const log = flags.get("log-file");
    if (log === undefined) writeSync(1, data);
    else appendFileSync(log, `${JSON.stringify({ log: Buffer.from(data).toString() })}\n`);
  }
}

process.stdin.on("data", (data) => void ask("WriteStdin", { ...names, data }));
process.stdin.on("end", () => void ask("CloseStdin", names));
await readAll();
const { status, payload } = await ask("WaitProcess", names);
if (status.code !== StatusCode.OK) end({ lost: status.message }, LOST);
const { status: exitCode } = decodeMessage(AgentService.methods.WaitProcess.response, payload);
end({ exitCode }, exitCode);

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { describe, it } from "node:test";
import {
  type EchoingAgent,
  freshPath,
  hasClosed,
  KataProxy,
  Port,
  readBytes,
} from "../../test/support/kata-proxy.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
/** Frames of yamux: of a version that there is not, and the beginning of one that is cut off. */
const GARBAGE = Buffer.from("GET / HTTP/1.1\r\n\r\n");
const HALF_FRAME = Buffer.from([0, 0, 0, 0, 0, 0, 0, 1]);

async function makeClients(proxy: KataProxy, count: number): Promise<Socket[]> {
  return Promise.all(Array.from({ length: count }, () => proxy.connect()));
}

/** Waits until the agent has so many streams. */
async function streamsOf(agent: EchoingAgent, count: number) {
  while (agent.streams.length < count) await once(agent.socket, "data");
  return agent.streams;
}

describe("kata-proxy", () => {
  it("carries what 100 clients and the agent tell each other", async () => {
    await using port = await Port.open();
    await using proxy = new KataProxy(port.path);
    await port.echo();
    const talk = async (client: Socket) => {
      const bytes = randomBytes(64 * KIB);
      client.write(bytes);
      assert.deepEqual(await readBytes(client, bytes.length), bytes);
      client.destroy();
    };
    await Promise.all((await makeClients(proxy, 100)).map(talk));
    assert.deepEqual(proxy.log, []);
  });

  it("lets clients wait until the agent is there, and takes the port over from whoever had it", async () => {
    await using port = await Port.open();
    await using proxy = new KataProxy(port.path);
    const socket = await port.connected();
    const [client, leaving] = await makeClients(proxy, 2);
    assert.ok(client && leaving);
    client.end("early");
    leaving.destroy();
    // The end of a frame of another session.
    socket.write(randomBytes(1000));
    await port.echo();
    assert.equal(String(await readBytes(client)), "early");
  });

  it("ends each way on its own", async () => {
    await using port = await Port.open();
    await using proxy = new KataProxy(port.path);
    await port.echo();
    const client = await proxy.connect();
    const bytes = randomBytes(3 * MIB);
    client.end(bytes);
    assert.deepEqual(await readBytes(client), bytes);
  });

  it("keeps little for a client that does not read, and serves the others", async () => {
    await using port = await Port.open();
    await using proxy = new KataProxy(port.path);
    const agent = await port.echo();
    const stuck = await proxy.connect();
    stuck.pause();
    const [stream] = await streamsOf(agent, 1);
    assert.ok(stream);
    const sent = randomBytes(16 * MIB);
    agent.send(stream, sent);
    const other = await proxy.connect();
    other.end("hello");
    assert.equal(String(await readBytes(other)), "hello");
    assert.ok(proxy.residentKib < 8 * KIB, `${proxy.residentKib} KiB are held`);
    assert.deepEqual(await readBytes(stuck, sent.length), sent);
    stuck.destroy();
  });

  it("leaves with the client what the agent does not read", async () => {
    await using port = await Port.open();
    await using proxy = new KataProxy(port.path);
    const agent = await port.echo();
    agent.isReading = false;
    const client = await proxy.connect();
    client.on("error", () => {});
    assert.equal(client.write(Buffer.alloc(16 * MIB)), false);
    const other = await proxy.connect();
    await streamsOf(agent, 2);
    assert.ok(proxy.residentKib < 8 * KIB, `${proxy.residentKib} KiB are held`);
    for (const socket of [client, other]) socket.destroy();
  });

  it("sends the last client away when too many are there, and takes others when some have gone", async () => {
    await using port = await Port.open();
    await using proxy = new KataProxy(port.path);
    const agent = await port.echo();
    const [first, ...clients] = await makeClients(proxy, 128);
    assert.ok(first);
    await streamsOf(agent, 128);
    const last = await proxy.connect();
    await hasClosed(last);
    await proxy.said("a client is sent away: 128 are there");
    first.end("x");
    assert.equal(String(await readBytes(first)), "x");
    first.destroy();
    const next = await proxy.connect();
    next.end("y");
    assert.equal(String(await readBytes(next)), "y");
    for (const client of [...clients, next]) client.destroy();
  });

  it("ends with 1 when the guest sends what is no yamux, and says so", async () => {
    await using port = await Port.open();
    const path = freshPath("lock");
    const lock = openSync(path, "w+");
    await using proxy = new KataProxy(port.path, ["-lock-fd", "3"], [lock]);
    closeSync(lock);
    const agent = await port.echo();
    const client = await proxy.connect();
    client.write("x");
    assert.equal(String(await readBytes(client, 1)), "x");
    agent.socket.write(GARBAGE);
    await hasClosed(client);
    assert.equal(await proxy.ended(), 1);
    assert.equal(proxy.log.length, 1);
    const fault = "the agent's session has ended: a frame is of version 71";
    assert.equal(proxy.log[0]?.msg, fault);
    // No shim starts another one.
    assert.equal(readFileSync(path, "utf8"), `failed: ${fault}`);
  });

  it("ends with 0 when the VM goes, and delivers what it had sent", async () => {
    await using port = await Port.open();
    await using proxy = new KataProxy(port.path, ["-log", "info"]);
    const agent = await port.echo();
    const client = await proxy.connect();
    client.pause();
    const [stream] = await streamsOf(agent, 1);
    assert.ok(stream);
    const bytes = randomBytes(200 * KIB);
    agent.send(stream, bytes);
    agent.socket.end(HALF_FRAME);
    assert.deepEqual(await readBytes(client), bytes);
    client.end();
    assert.equal(await proxy.ended(), 0);
    assert.deepEqual(
      proxy.log.map(({ msg }) => msg),
      ["the agent is there", "the VM has gone"],
    );
  });

  it("ends with 1 when the VM goes before its agent has answered, or there is none", async () => {
    await using port = await Port.open();
    await using proxy = new KataProxy(port.path);
    (await port.connected()).destroy();
    assert.equal(await proxy.ended(), 1);
    assert.match(proxy.log[0]?.msg ?? "", /the VM has gone before its agent answered/);
    await using other = new KataProxy("/nonexistent/kata.sock");
    assert.equal(await other.ended(), 1);
    assert.match(other.log[0]?.msg ?? "", /cannot serve \/nonexistent\/kata.sock: connect: No such file/);
  });

  it("lets go of the VM and ends with 0 at SIGTERM", async () => {
    await using port = await Port.open();
    await using proxy = new KataProxy(port.path);
    const agent = await port.echo();
    const client = await proxy.connect();
    await streamsOf(agent, 1);
    proxy.child.kill("SIGTERM");
    await Promise.all([hasClosed(client), hasClosed(agent.socket)]);
    assert.equal(await proxy.ended(), 0);
    await assert.rejects(proxy.connect(), { code: "ENOENT" });
  });

  it("writes its process id into the lock that it is given", async () => {
    await using port = await Port.open();
    const path = freshPath("lock");
    const lock = openSync(path, "w+");
    await using proxy = new KataProxy(port.path, ["-lock-fd", "3"], [lock]);
    closeSync(lock);
    await port.echo();
    assert.equal(readFileSync(path, "utf8"), String(proxy.child.pid));
  });

  it("logs the lines of the guest's console", async () => {
    await using port = await Port.open();
    const path = freshPath("console.sock");
    const said = `one\r\n\ntwo ü\n${"x".repeat(5000)}\nlast`;
    const server = createServer((socket) => socket.end(said)).listen(path);
    await once(server, "listening");
    await using proxy = new KataProxy(port.path, ["-agent-logs-socket", path]);
    const agent = await port.echo();
    await Promise.all([proxy.said("last"), proxy.said("the agent is there")]);
    server.close();
    agent.socket.destroy();
    assert.equal(await proxy.ended(), 0);
    const lines = proxy.log.filter(({ source }) => source === "console").map(({ msg }) => msg);
    const [long, rest] = ["x".repeat(4096), "x".repeat(5000 - 4096)];
    assert.ok(JSON.stringify(lines) === JSON.stringify(["one", "two ü", long, rest, "last"]));
  });

  it("refuses a command line that is not right, with 2", async () => {
    for (const args of [["-log", "loud"], ["-sandbox"], ["-lock-fd", "1"], ["-mux-socket", "relative"]]) {
      await using proxy = new KataProxy("/nonexistent/kata.sock", args);
      assert.equal(await proxy.ended(), 2, args.join(" "));
    }
  });
});

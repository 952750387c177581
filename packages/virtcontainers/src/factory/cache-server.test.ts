import assert from "node:assert/strict";
import { once } from "node:events";
import { chmodSync, existsSync, linkSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from "node:http2";
import { createConnection, createServer } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { GrpcStatus, GrpcVM, GrpcVMConfig } from "@husk/wire/kata";
import { decodeMessage, type Message, type MessageType } from "@husk/wire/protobuf";
import { claimStaging } from "../store/staging.ts";
import { makeTempRoot } from "../testing/temp-root.ts";
import { stageNothing } from "../testing/waiting-vm.ts";
import { CacheClient } from "./cache-client.ts";
import { writeRequest } from "./cache-words.ts";
import type { VmRecipe } from "./stage-vm.ts";
import { LocalVmCache } from "./vm-cache.ts";

const SIZE = { vcpus: 1, memory: 256 };
const KEY = "0123456789abcdef0123456789abcdef";
const EXACT = writeRequest(KEY, { least: SIZE, most: SIZE });
const LIMITS = { timeoutMs: 60_000 };

/** A cache of VMs that are nothing but directories, served. */
async function serve(context: TestContext, vmCacheNumber = 1) {
  let cache: LocalVmCache | undefined;
  const { root, base } = makeTempRoot(context, async () => cache?.close());
  const recipe: VmRecipe = {
    config: { id: "waiting", agentType: "kata" },
    size: SIZE,
    key: KEY,
    root,
    cache: base,
    templates: undefined,
  };
  const now = { key: KEY };
  const keyNow = async () => now.key;
  const open = () =>
    new LocalVmCache(
      recipe,
      { vmCacheNumber },
      { cleared: 3, onFault: () => {}, keyNow, stage: stageNothing },
    );
  cache = open();
  await cache.filled();
  await cache.listen();
  const endpoint = join(root, "cache.sock");
  const pods = () => readdirSync(join(root, "pods"));
  return { cache, endpoint, root, open, pods, now };
}

/** A client that knows nothing of ours: HTTP/2, and the bytes of gRPC. */
class RawClient {
  readonly #session: ClientHttp2Session;

  constructor(endpoint: string) {
    this.#session = connect("http://cache", { createConnection: () => createConnection(endpoint) });
  }

  async call<T extends Message>(
    method: string,
    type: MessageType<T>,
    words: Record<string, string> = {},
  ): Promise<{ status: number; text: string; message: T | undefined }> {
    const path = `/cache.CacheService/${method}`;
    const headers = { ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" };
    const stream = this.#session.request({ ...headers, ...words });
    let trailers: IncomingHttpHeaders = {};
    stream.on("trailers", (found) => {
      trailers = found;
    });
    stream.end(Buffer.alloc(5));
    const chunks: Buffer[] = [];
    for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
    const bytes = Buffer.concat(chunks).subarray(5);
    const status = Number(trailers["grpc-status"]);
    const text = decodeURIComponent(String(trailers["grpc-message"] ?? ""));
    return { status, text, message: status === 0 ? decodeMessage(type, bytes) : undefined };
  }

  /** Begins a request, and never comes to its end. */
  async beginCall(): Promise<void> {
    await once(this.#session, "connect");
    this.#session.on("error", () => {});
    const stream = this.#session.request({ ":method": "POST", ":path": "/cache.CacheService/Status" });
    stream.on("error", () => {});
    stream.write(Buffer.alloc(1));
    await new Promise((resolve) => this.#session.ping(resolve));
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#session.close(resolve));
  }
}

const fromJson = (bytes: Uint8Array | undefined) => JSON.parse(Buffer.from(bytes ?? []).toString());

test("another's client gets a VM by the protocol of old, for itself alone", async (context) => {
  const { cache, endpoint, root } = await serve(context);
  const client = new RawClient(endpoint);
  const config = (await client.call("Config", GrpcVMConfig)).message;
  assert.equal(fromJson(config?.Data).HypervisorConfig.MemorySize, 256);
  assert.deepEqual(fromJson(config?.AgentConfig), {});
  const { message: vm } = await client.call("GetBaseVM", GrpcVM);
  const { ID, QmpChannelpath, Husk } = fromJson(vm?.hypervisor);
  assert.equal(ID, vm?.id);
  assert.deepEqual([vm?.cpu, vm?.memory, vm?.cpuDelta, vm?.proxyPid], [1, 256, 0, 0n]);
  assert.equal(vm?.proxyURL, `unix://${join(Husk.directory, "kata.sock")}`);
  assert.equal(QmpChannelpath, join(Husk.directory, "qmp.sock"));
  await client.close();
  await cache.filled();
  const states = () => cache.status().vms.map(({ leased, foreign }) => [leased, foreign]);
  assert.deepEqual(states(), [
    [false, false],
    [true, true],
  ]);
  claimStaging(Husk.directory, root)?.lock.release();
  assert.deepEqual([states(), cache.status().claimed], [[[false, false]], 1]);
});

test("other programs have no more VMs than the cache keeps", async (context) => {
  const { cache, endpoint } = await serve(context);
  const client = new RawClient(endpoint);
  assert.equal((await client.call("GetBaseVM", GrpcVM)).status, 0);
  for (let attempt = 0; attempt < 3; attempt++) {
    const { status, text } = await client.call("GetBaseVM", GrpcVM);
    assert.equal(status, 8);
    assert.match(text, /^programs other than husk have, or wait for, all of the 1 VMs that they may have; /);
  }
  // That is nothing to those of ours.
  using own = await CacheClient.connect(endpoint);
  await own.getBaseVM(EXACT, LIMITS);
  const { refused, vms } = await statusOf(endpoint);
  assert.deepEqual([refused, vms.filter(({ leased, foreign }) => leased && foreign).length], [3, 1]);
  await cache.filled();
  await client.close();
});

test("what does not fit is refused with the reason", async (context) => {
  const { endpoint, cache } = await serve(context);
  const client = new RawClient(endpoint);
  const ask = async (words: Record<string, string>) => {
    const { status, text } = await client.call("GetBaseVM", GrpcVM, words);
    return [status, text];
  };
  const other = writeRequest("ffff", { least: SIZE, most: SIZE });
  assert.deepEqual(await ask(other), [9, `the VMs are others: made of ${KEY}, and ffff was asked for`]);
  const small = { vcpus: 1, memory: 128 };
  const [status, text] = await ask(writeRequest(KEY, { least: small, most: small }));
  assert.equal(status, 9);
  assert.match(String(text), /the VMs have 1 vCPUs, 256 MiB/);
  assert.equal((await ask({ "husk-key": KEY }))[0], 3);
  assert.equal((await client.call("Nothing", GrpcVM)).status, 12);
  assert.equal(cache.status().vms.filter(({ leased }) => leased).length, 0);
  await client.close();
});

test("who claims a VM has it, and who goes without doing so leaves it to the next", async (context) => {
  const { cache, endpoint, root, pods } = await serve(context);
  const first = await CacheClient.connect(endpoint);
  const path = await first.getBaseVM(EXACT, LIMITS);
  const { ino } = statSync(path);
  first.close();
  using second = await CacheClient.connect(endpoint);
  const again = await second.getBaseVM(EXACT, LIMITS);
  assert.equal(statSync(again).ino, ino);
  // Who comes too late has it no more.
  assert.equal(claimStaging(path, root), undefined);
  const claimed = claimStaging(again, root);
  assert.equal(claimed?.record.waiting?.key, KEY);
  assert.equal(claimStaging(again, root), undefined);
  claimed?.lock.release();
  // Meanwhile nobody else is given it.
  using third = await CacheClient.connect(endpoint);
  assert.notEqual(statSync(await third.getBaseVM(EXACT, LIMITS)).ino, ino);
  // What is not claimed goes with the cache.
  await cache.close();
  assert.deepEqual([cache.status().claimed, pods().length], [1, 1]);
});

async function statusOf(endpoint: string) {
  using client = await CacheClient.connect(endpoint);
  return await client.status(LIMITS);
}

test("the status tells what there is", async (context) => {
  const { endpoint, cache } = await serve(context, 2);
  assert.equal(statSync(endpoint).mode & 0o777, 0o600);
  const { vms, wanted, cleared, pid, key, startedAt } = await statusOf(endpoint);
  assert.deepEqual(
    vms.map(({ tier, leased, vcpus, memory }) => ({ tier, leased, vcpus, memory })),
    [1, 2].map(() => ({ tier: "rehearsed", leased: false, ...SIZE })),
  );
  assert.deepEqual([wanted.rehearsed, cleared, pid, key], [2, 3, process.pid, KEY]);
  assert.deepEqual(startedAt, cache.status().startedAt);
  const raw = new RawClient(endpoint);
  const { message } = await raw.call("Status", GrpcStatus);
  assert.deepEqual(
    message?.vmstatus.map((vm) => [Number(vm.pid), vm.cpu, vm.memory]),
    [1, 2].map(() => [process.pid, 1, 256]),
  );
  await raw.close();
});

/** Makes a socket that nobody listens at. */
async function leaveSocket(path: string): Promise<void> {
  const server = createServer().listen(`${path}.1`);
  await once(server, "listening");
  linkSync(`${path}.1`, path);
  await new Promise((resolve) => server.close(resolve));
}

test("one server has an endpoint, a dead one's socket is no hindrance, and Quit ends it", async (context) => {
  const { cache, endpoint, root, open, pods } = await serve(context);
  const other = open();
  await assert.rejects(other.listen(), { code: "ERR_CACHE_IN_USE" });
  await other.close();
  const client = await CacheClient.connect(endpoint);
  await client.quit(LIMITS);
  await cache.closed;
  assert.deepEqual([existsSync(endpoint), pods()], [false, []]);
  await assert.rejects(CacheClient.connect(endpoint), { code: "ERR_CACHE_UNREACHABLE" });
  await assert.rejects(cache.listen(), { code: "ERR_CACHE_CLOSED" });
  assert.ok(!existsSync(`${endpoint}.lock`));
  await leaveSocket(endpoint);
  const next = open();
  await assert.rejects(next.listen(`${root}/${"x".repeat(100)}`), { code: "ERR_CONFIG_INVALID" });
  await next.listen();
  assert.equal((await statusOf(endpoint)).pid, process.pid);
  await next.close();
  writeFileSync(endpoint, "precious");
  const mistaken = open();
  await assert.rejects(mistaken.listen(), {
    code: "ERR_STORE",
    message: /something is there that is no socket/,
  });
  await mistaken.close();
  assert.equal(readFileSync(endpoint, "utf8"), "precious");
  chmodSync(root, 0o755);
  const exposed = open();
  await assert.rejects(exposed.listen(), { code: "ERR_STORE" });
  await exposed.close();
});

test("the end waits for nobody who does not come to the end of a request", {
  timeout: 10_000,
}, async (context) => {
  const { cache, endpoint } = await serve(context);
  const client = new RawClient(endpoint);
  await client.beginCall();
  await cache.close();
  assert.ok(!existsSync(endpoint));
});

test("VMs are replaced when what they were made of is not there any more", async (context) => {
  const { cache, endpoint, now, pods } = await serve(context);
  using holder = await CacheClient.connect(endpoint);
  const old = await holder.getBaseVM(EXACT, LIMITS);
  const key = KEY.replace("0", "f");
  using client = await CacheClient.connect(endpoint);
  const request = writeRequest(key, { least: SIZE, most: SIZE });
  const mismatch = { code: "ERR_CACHE_MISMATCH" };
  await assert.rejects(client.getBaseVM(request, LIMITS), mismatch);
  assert.equal(cache.status().key, KEY);
  now.key = key;
  await assert.rejects(client.getBaseVM(request, LIMITS), mismatch);
  const fresh = await client.getBaseVM(request, LIMITS);
  assert.notEqual(fresh, old);
  assert.deepEqual([cache.status().key, existsSync(fresh)], [key, true]);
  // What somebody had and has not claimed is not for the next any more.
  holder.close();
  await cache.close();
  assert.deepEqual(pods(), []);
});

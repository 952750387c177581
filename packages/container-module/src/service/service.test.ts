import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { buffer } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { HuskError } from "@husk/virtcontainers";
import { makeBareModule, untilAborted } from "../testing/bare-module.ts";
import { makeTempDirectory } from "../testing/temp-directory.ts";
import type { ContainerModule } from "../types.ts";
import { connectContainerModule } from "./connect-module.ts";
import { serveContainerModule } from "./serve-module.ts";

/** A service of a module, and a client of it. */
async function makeService(t: TestContext, methods: Partial<ContainerModule> = {}) {
  const socket = join(makeTempDirectory(t), "run", "module.sock");
  const service = await serveContainerModule(makeBareModule(methods), { socket });
  t.after(() => service.close());
  return { socket, service, client: await connectContainerModule(socket) };
}

test("what is asked and answered is the same as without the service between", async (t) => {
  const calls: unknown[] = [];
  const { client } = await makeService(t, {
    run: async (...args) => {
      const { signal, ...options } = args[8] ?? {};
      assert.ok(signal);
      calls.push([...args.slice(0, 8), options]);
      return "web";
    },
    delete: async (ns, id, { signal, ...options } = {}) =>
      void calls.push([ns, id, options, Boolean(signal)]),
  });
  const mounts = [{ source: "/srv", target: "/data", type: "bind", options: ["ro"] }];
  const network = { namespace: "acme" };
  const all = ["acme", "web", "/srv/root.fl", ["tag"], ["A=1"], network, mounts, "sh -c 'exit 3'"] as const;
  assert.equal(await client.run(...all, { memory: 1 << 26, cpus: 0.5 }), "web");
  assert.equal(await client.run("acme", "web", "/srv/root.fl", [], [], undefined, [], ["sh"]), "web");
  await client.delete("acme", "web", { graceMs: 10, removeLog: true });
  assert.deepEqual(calls, [
    [...all, { memory: 1 << 26, cpus: 0.5 }],
    ["acme", "web", "/srv/root.fl", [], [], undefined, [], ["sh"], {}],
    ["acme", "web", { graceMs: 10, removeLog: true }, true],
  ]);
  const module = makeBareModule();
  assert.deepEqual(await client.inspect("acme", "web"), await module.inspect("acme", "web"));
  assert.deepEqual(await client.list("other"), await module.list("other"));
  assert.deepEqual(await client.list(), await module.list());
});

test("a path means what it means to the client", async (t) => {
  const flists: string[] = [];
  const run = async (_ns: string, _name: string, flist: string) => `${flists.push(flist)}`;
  const { client } = await makeService(t, { run });
  for (const flist of ["root.fl", "/a:tag", "https://x/y.fl"])
    await client.run("ns", "id", flist, [], [], undefined, [], "sh");
  assert.deepEqual(flists, [join(process.cwd(), "root.fl"), "/a:tag", "https://x/y.fl"]);
});

test("errors come with code, words, hint and container; others with their words", async (t) => {
  const details = { hint: "do this", containerId: "web" };
  const { client } = await makeService(t, {
    inspect: async () => Promise.reject(new HuskError("ERR_CONTAINER_NOT_FOUND", "there is no web", details)),
    delete: async () => Promise.reject(new TypeError("x is undefined")),
  });
  const error: unknown = await client.inspect("a", "web").catch((thrown: unknown) => thrown);
  assert.ok(error instanceof HuskError);
  const { code, message, hint, containerId } = error;
  assert.deepEqual(
    [code, message, { hint, containerId }],
    ["ERR_CONTAINER_NOT_FOUND", "there is no web", details],
  );
  await assert.rejects(client.delete("a", "web"), { name: "Error", message: "x is undefined" });
});

test("the socket is its owner's alone, and goes with the service", async (t) => {
  const { socket, service } = await makeService(t);
  assert.equal(statSync(socket).mode & 0o777, 0o600);
  assert.equal(statSync(dirname(socket)).mode & 0o777, 0o700);
  await assert.rejects(serveContainerModule(makeBareModule(), { socket }), { code: "ERR_MODULE_SERVED" });
  await service.close();
  assert.ok(!existsSync(socket) && !existsSync(`${socket}.lock`));
  await assert.rejects(connectContainerModule(socket), { code: "ERR_MODULE_UNREACHABLE" });
});

test("what a dead service has left is replaced", async (t) => {
  const socket = join(makeTempDirectory(t), "module.sock");
  writeFileSync(socket, "");
  writeFileSync(`${socket}.lock`, "");
  await using _ = await serveContainerModule(makeBareModule(), { socket });
  assert.equal((await (await connectContainerModule(socket)).list()).length, 2);
});

test("a socket is not put where others could put theirs, nor where its path is too long", async (t) => {
  const folder = makeTempDirectory(t);
  mkdirSync(join(folder, "open"));
  chmodSync(join(folder, "open"), 0o777);
  const serve = (name: string) => serveContainerModule(makeBareModule(), { socket: join(folder, name) });
  await assert.rejects(serve("open/module.sock"), { code: "ERR_STORE", message: /others may write to/ });
  await assert.rejects(serve("x".repeat(100)), { code: "ERR_CONFIG_INVALID", message: /bytes too many/ });
});

test("calls run side by side, and a caller that has enough ends only its own", async (t) => {
  const { client } = await makeService(t, { inspect: (_ns, _id, { signal } = {}) => untilAborted(signal) });
  const controllers = Array.from({ length: 10 }, () => new AbortController());
  const waiting = controllers.map(({ signal }) => client.inspect("a", "b", { signal }));
  assert.equal((await client.list()).length, 2);
  for (const [index, controller] of controllers.entries()) {
    controller.abort();
    await assert.rejects(waiting[index] as Promise<unknown>, { code: "ERR_ABORTED" });
    assert.equal((await client.list()).length, 2);
  }
  await assert.rejects(client.list("a", { signal: AbortSignal.abort() }), { code: "ERR_ABORTED" });
});

test("a log comes as it is, no faster than it is read, and its end ends it", async (t) => {
  let sent = 0;
  const { client } = await makeService(t, {
    async *logs(_ns, _id, { follow } = {}) {
      assert.equal(follow, true);
      for (; sent < 2000; sent++) yield Buffer.alloc(10_000, sent % 251);
    },
  });
  const read: Uint8Array[] = [];
  for await (const piece of client.logs("a", "b", { follow: true })) {
    // The rest waits in the sockets' buffers, and at their writer.
    if (read.length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 300));
      assert.ok(sent < 1000, `${sent} were sent`);
    }
    read.push(piece);
  }
  const whole = Buffer.concat(Array.from({ length: 2000 }, (_, index) => Buffer.alloc(10_000, index % 251)));
  assert.ok(Buffer.concat(read).equals(whole));
});

test("a log that nobody reads any more is not written any more", async (t) => {
  const ended = Promise.withResolvers<void>();
  const { client } = await makeService(t, {
    async *logs(_ns, _id, { signal } = {}) {
      try {
        yield Buffer.from("one\n");
        await untilAborted(signal);
      } finally {
        ended.resolve();
      }
    },
  });
  for await (const piece of client.logs("a", "b")) {
    assert.equal(Buffer.from(piece).toString(), "one\n");
    break;
  }
  await ended.promise;
});

test("a log that fails says why, after what there is", async (t) => {
  const { client } = await makeService(t, {
    async *logs() {
      yield Buffer.from("one\n");
      throw new HuskError("ERR_CONTAINER_NOT_FOUND", "gone");
    },
  });
  const read: string[] = [];
  const reading = (async () => {
    for await (const piece of client.logs("a", "b")) read.push(Buffer.from(piece).toString());
  })();
  await assert.rejects(reading, { code: "ERR_CONTAINER_NOT_FOUND" });
  assert.deepEqual(read, ["one\n"]);
});

test("a program has its streams, as much as there is, and its exit status", async (t) => {
  const { client } = await makeService(t);
  using process = await client.exec("a", "b", ["sh", "-c", "cat; echo wrong >&2; exit 7"]);
  const input = randomBytes(3_000_000);
  process.stdin.end(input);
  const [out, err] = await Promise.all([buffer(process.stdout), buffer(process.stderr)]);
  assert.ok(out.equals(input));
  assert.equal(err.toString(), "wrong\n");
  assert.deepEqual(await process.wait(), { exitCode: 7 });
});

test("a program's terminal has its size", async (t) => {
  const { client } = await makeService(t);
  const terminal = { rows: 30, columns: 100 };
  using process = await client.exec("a", "b", ["head", "-n", "1"], { terminal });
  assert.throws(() => process.resize({ rows: 1, columns: 65_536 }), { code: "ERR_CONFIG_INVALID" });
  process.resize({ rows: 40, columns: 120 });
  assert.equal((await buffer(process.stdout)).toString(), "40 120\n");
  assert.deepEqual(await process.wait(), { exitCode: 0 });
});

test("a program that does not read its input ends all the same", async (t) => {
  const { client } = await makeService(t);
  using process = await client.exec("a", "b", ["sh", "-c", "exec <&-; sleep 0.2"]);
  process.stdin.on("error", () => {});
  process.stdin.end(randomBytes(3_000_000));
  assert.deepEqual(await process.wait(), { exitCode: 0 });
});

test("a program that cannot be started is an error of exec itself", async (t) => {
  const failing = async () => Promise.reject(new HuskError("ERR_STATE_INVALID", "it does not run"));
  const { client } = await makeService(t, { exec: failing });
  await assert.rejects(client.exec("a", "b", ["true"]), { code: "ERR_STATE_INVALID" });
});

test("a program ends with its caller, and with its service", async (t) => {
  const { client, service } = await makeService(t);
  const start = async () => {
    const process = await client.exec("a", "b", ["sh", "-c", "echo $$; exec sleep 1000"]);
    const [first] = (await once(process.stdout, "data")) as [Buffer];
    return { process, pid: Number(first.toString()) };
  };
  const one = await start();
  one.process[Symbol.dispose]();
  await assert.rejects(one.process.wait(), { code: "ERR_MODULE_UNREACHABLE" });
  const two = await start();
  await service.close();
  const told = await two.process.wait().catch((error) => error.code);
  assert.ok(told === "ERR_MODULE_UNREACHABLE" || told.exitCode === 137, JSON.stringify(told));
  for (const { pid } of [one, two]) assert.ok(!existsSync(`/proc/${pid}`) || isZombie(pid));
});

function isZombie(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}

test("a service that ends lets calls come to their end", async (t) => {
  const asked = Promise.withResolvers<void>();
  const allowed = Promise.withResolvers<void>();
  const { client, service } = await makeService(t, {
    run: async (_ns, name) => {
      asked.resolve();
      await allowed.promise;
      return name;
    },
  });
  const running = client.run("a", "web", "/x", [], [], undefined, [], "sh");
  await asked.promise;
  const closing = service.close();
  await assert.rejects(client.list(), { code: "ERR_MODULE_UNREACHABLE" });
  allowed.resolve();
  assert.equal(await running, "web");
  await closing;
});

test("a service that speaks another protocol is told, and not waited for", async (t) => {
  const socket = join(makeTempDirectory(t), "other.sock");
  for (const answer of [
    "HTTP/1.1 400 Bad Request\r\n",
    '{"id":1,"result":{"version":2}}\n',
    '{"id":2,"result":1}\n',
  ]) {
    const server = createServer((connection) =>
      connection
        .end(answer)
        .resume()
        .on("error", () => {}),
    );
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    await assert.rejects(connectContainerModule(socket), { code: "ERR_MODULE_PROTOCOL" });
    await new Promise((resolve) => server.close(resolve));
  }
});

test("a service that says nothing is not waited for without end", async (t) => {
  const socket = join(makeTempDirectory(t), "module.sock");
  const server = createServer((connection) => connection.on("error", () => {}));
  t.after(() => server.close());
  await once(server.listen(socket), "listening");
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const connected = once(server, "connection");
  const refused = assert.rejects(connectContainerModule(socket), {
    code: "ERR_MODULE_UNREACHABLE",
    message: /module\.sock: it says nothing$/,
  });
  const [connection] = (await connected) as [Socket];
  t.after(() => connection.destroy());
  const gone = once(connection.resume(), "close", { signal: AbortSignal.timeout(60_000) });
  t.mock.timers.runAll();
  await Promise.all([refused, gone]);
});

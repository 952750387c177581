import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { CopyFileRequest } from "@husk/wire/kata";
import { StatusCode, TtrpcError } from "@husk/wire/ttrpc";
import { openOptions } from "../../testing/open-agent.ts";
import { makeKataBench } from "../../testing/open-kata.ts";
import { KataAgent } from "./agent.ts";

const eth0 = {
  ...{ name: "eth0", mac: "02:00:00:00:00:01", mtu: 1400, routes: [] },
  addresses: [{ address: "10.0.0.2", prefix: 24 }],
  neighbours: [{ address: "10.0.0.9", mac: "02:00:00:00:00:09" }],
};

test("each method of the seed's interface is the call of its name, with what it was given", async (t) => {
  const { peer, open } = await makeKataBench(t);
  const { agent } = await open({ fresh: true });
  peer.overrides.set("ReadStdout", () => ({ data: Buffer.from("out") }));
  peer.overrides.set("ReadStderr", () => {
    throw new TtrpcError(StatusCode.INVALID_ARGUMENT, "EOF");
  });
  peer.overrides.set("WriteStdin", () => ({ len: 2 }));
  peer.overrides.set("WaitProcess", () => ({ status: 9 }));
  peer.overrides.set("ListProcesses", () => ({ processList: Buffer.from("[1,7]") }));
  peer.overrides.set("ListInterfaces", () => ({ Interfaces: [{ name: "eth0" }] }));
  peer.overrides.set("ListRoutes", () => ({ Routes: [{ dest: "10.0.0.0/8" }] }));
  peer.overrides.set("GetGuestDetails", () => ({ memBlockSizeBytes: 1n << 27n }));
  for (const name of ["RemoveContainer", "SignalProcess", "CloseStdin", "StartContainer"] as const)
    peer.overrides.set(name, () => ({}));
  const expect = async (name: string, request: object, call: () => Promise<unknown>): Promise<unknown> => {
    const before = peer.requests.length;
    const answer = await call();
    const asked = peer.requests[before];
    assert.equal(asked?.name, name);
    const seen = Object.entries(request).map(([key]) => [
      key,
      ((asked?.request ?? {}) as Record<string, unknown>)[key],
    ]);
    assert.deepEqual(Object.fromEntries(seen), request, name);
    return answer;
  };
  const [containerId, execId] = ["c", "e"];
  await expect("Check", {}, () => agent.check());
  await expect("CreateSandbox", { hostname: "h" }, () => agent.startSandbox({ hostname: "h" }));
  await expect("CreateContainer", { containerId }, () => agent.createContainer({ containerId, execId: "c" }));
  await expect("StartContainer", { containerId }, () => agent.startContainer("c"));
  await expect("ExecProcess", { containerId, execId }, () =>
    agent.exec("c", "e", { process: { Args: ["x"] } }),
  );
  await expect("SignalProcess", { containerId, execId, signal: 2 }, () =>
    agent.signalProcess("c", "e", 2, false),
  );
  await expect("SignalProcess", { execId: "", signal: 9 }, () => agent.signalProcess("c", "e", 9, true));
  await expect("TtyWinResize", { row: 24, column: 80 }, () => agent.winsizeProcess("c", "e", 24, 80));
  assert.equal(
    await expect("WriteStdin", { execId }, () => agent.writeProcessStdin("c", "e", Buffer.from("in"))),
    2,
  );
  await expect("CloseStdin", { containerId, execId }, () => agent.closeProcessStdin("c", "e"));
  const read = await expect("ReadStdout", { containerId, execId }, () => agent.readProcessStdout("c", "e"));
  assert.equal(Buffer.from(read as Uint8Array).toString(), "out");
  assert.equal(await expect("ReadStderr", { execId }, () => agent.readProcessStderr("c", "e")), undefined);
  const list = await expect("ListProcesses", { format: "json", args: [] }, () =>
    agent.processListContainer("c", { format: "json" }),
  );
  assert.equal(String(list), "[1,7]");
  assert.equal(await expect("WaitProcess", { execId }, () => agent.waitProcess("c", "e")), 9);
  await expect("UpdateContainer", { containerId }, () => agent.updateContainer("c", { cpu: { quota: -1 } }));
  await expect("PauseContainer", { containerId }, () => agent.pauseContainer("c"));
  await expect("ResumeContainer", { containerId }, () => agent.resumeContainer("c"));
  await expect("OnlineCPUMem", { wait: true, nbCpus: 2, cpuOnly: true }, () => agent.onlineCPUMem(2, true));
  await expect("ReseedRandomDev", { data: Uint8Array.from([7]) }, () =>
    agent.reseedRNG(Uint8Array.from([7])),
  );
  await expect("SetGuestDateTime", { Sec: 12n, Usec: 345_000n }, () =>
    agent.setGuestDateTime(new Date(12_345)),
  );
  await expect("UpdateInterface", {}, () => agent.updateInterface(eth0));
  assert.equal(peer.asked.at(-1), "AddARPNeighbors");
  await expect("UpdateRoutes", {}, () => agent.updateRoutes([eth0]));
  await expect("ListInterfaces", {}, () => agent.listInterfaces());
  await expect("ListRoutes", {}, () => agent.listRoutes());
  const details = await expect("GetGuestDetails", { memBlockSize: true }, () =>
    agent.getGuestDetails({ memBlockSize: true }),
  );
  assert.equal((details as { memBlockSizeBytes: bigint }).memBlockSizeBytes, 1n << 27n);
  await expect("RemoveContainer", { containerId }, () => agent.stopContainer("c"));
  await expect("DestroySandbox", {}, () => agent.stopSandbox());
});

test("what a container uses is told in the library's units, limits that are none as such", async (t) => {
  const { peer, open } = await makeKataBench(t);
  const { agent } = await open({ fresh: true });
  const entry = (op: string, value: bigint) => ({ major: 254n, minor: 0n, op, value });
  peer.overrides.set("StatsContainer", () => ({
    cgroupStats: {
      cpuStats: {
        cpuUsage: { totalUsage: 5_000_000n, usageInUsermode: 2_000n },
        throttlingData: { periods: 3n },
      },
      memoryStats: { usage: { usage: 100n, maxUsage: 200n, limit: 2n ** 63n }, cache: 7n },
      pidsStats: { current: 4n, limit: 16n },
      blkioStats: {
        ioServiceBytesRecursive: [entry("Read", 512n), entry("Write", 1024n), entry("Total", 1536n)],
        ioServicedRecursive: [entry("read", 1n)],
      },
    },
    networkStats: [{ name: "eth0\u001b[2J", rxBytes: 9n }],
  }));
  const stats = await agent.statsContainer("c");
  assert.deepEqual([stats.cpu.usageUs, stats.cpu.userUs, stats.cpu.periods], [5000, 2, 3]);
  assert.deepEqual([stats.memory.usage, stats.memory.limit, stats.pids.limit], [100, undefined, 16]);
  assert.deepEqual(stats.blockIo, [
    { major: 254, minor: 0, readBytes: 512, writtenBytes: 1024, reads: 1, writes: 0 },
  ]);
  assert.deepEqual([stats.network[0]?.name, stats.network[0]?.rxBytes], ["eth0", 9]);
});

test("a file is copied in pieces, the last of which comes when the others have", async (t) => {
  const { peer, directory, open } = await makeKataBench(t);
  const { agent } = await open({ fresh: true });
  const source = join(directory.path, "source");
  for (const size of [0, 10, 1_300_000]) {
    const content = Buffer.alloc(size, "0123456789");
    writeFileSync(source, content, { mode: 0o640 });
    peer.requests.length = 0;
    await agent.copyFile(source, "/run/x");
    const pieces = peer.requests.map(({ request }) => request as CopyFileRequest);
    assert.ok(Buffer.concat(pieces.map(({ data }) => data)).equals(content));
    assert.ok(pieces.every(({ path, fileSize }) => path === "/run/x" && fileSize === BigInt(size)));
    assert.equal((pieces[0]?.fileMode ?? 0) & 0o777, 0o640);
    assert.equal(pieces.length, Math.max(1, Math.ceil(size / (512 * 1024))));
  }
  await assert.rejects(agent.copyFile("/nonexistent", "/run/x"), { code: "ERR_MOUNT_SOURCE_MISSING" });
  await assert.rejects(agent.copyFile(directory.path, "/run/x"), { code: "ERR_CONFIG_INVALID" });
});

test("statuses are errors of the library, and a guest that breaks the protocol is told as such", async (t) => {
  const { peer, open } = await makeKataBench(t);
  const { agent } = await open({ fresh: true });
  const answers: [number, string, string][] = [
    [StatusCode.NOT_FOUND, "none", "ERR_CONTAINER_NOT_FOUND"],
    [StatusCode.UNIMPLEMENTED, "what?", "ERR_NOT_SUPPORTED"],
    [StatusCode.DEADLINE_EXCEEDED, "late", "ERR_TIMEOUT"],
    [StatusCode.INVALID_ARGUMENT, "bad", "ERR_AGENT_REFUSED"],
    [StatusCode.INTERNAL, 'program "x": not found', "ERR_PROGRAM_NOT_FOUND"],
    [StatusCode.INTERNAL, 'program "x": it is a directory', "ERR_PROGRAM_NOT_EXECUTABLE"],
  ];
  for (const [status, words, code] of answers) {
    peer.overrides.set("PauseContainer", () => {
      throw new TtrpcError(status, words);
    });
    const message = `the agent refused PauseContainer: ${words}`;
    await assert.rejects(agent.pauseContainer("c"), { code, message });
  }
  peer.overrides.set("WriteStdin", () => ({ len: 99 }));
  const write = agent.writeProcessStdin("c", "e", Buffer.from("in"));
  await assert.rejects(write, { code: "ERR_AGENT_PROTOCOL" });
  peer.overrides.set("ListProcesses", () => ({ processList: Buffer.from("nonsense") }));
  await assert.rejects(agent.processListContainer("c", { format: "json" }), { code: "ERR_AGENT_PROTOCOL" });
});

test("the methods around the calls know where the agent is, and hand its connection on", async (t) => {
  const { directory, open } = await makeKataBench(t);
  const { agent } = await open({ fresh: true });
  assert.equal(agent.getAgentURL(), `unix://${directory.socket("kata")}`);
  assert.equal(agent.getVMPath(), directory.socketPath);
  assert.equal(agent.getSharePath(), "/run/kata-containers/shared/containers");
  assert.deepEqual(agent.configure(), { name: "agent.channel.0", socket: "kata" });
  assert.deepEqual(agent.createSandbox(), agent.configure());
  assert.deepEqual(agent.capabilities(), { blockDevice: true, fsSharing: true });
  const other = new KataAgent();
  assert.throws(() => other.getAgentURL(), { code: "ERR_AGENT_DISCONNECTED" });
  await assert.rejects(async () => other.check(), { code: "ERR_AGENT_DISCONNECTED" });
  other.configureFromGrpc({ directory, deadlineFactor: 1, config: {} });
  other.reuseAgent(agent);
  await other.check();
  assert.deepEqual([other.isOwner, agent.isOwner, agent.closed], [true, false, true]);
  const third = new KataAgent();
  third.init({ directory, deadlineFactor: 4, config: {} });
  assert.equal(await third.startProxy(openOptions(directory, []), () => {}), true);
  assert.equal(third.getAgentURL(), `unix://${directory.socket("relayKata")}`);
  third.setProxyFromGrpc("unix:///elsewhere", 7);
  assert.equal(third.getAgentURL(), "unix:///elsewhere");
  third.disconnect();
  other.cleanup();
  assert.deepEqual([third.closed, other.closed], [true, true]);
});

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { insidePath, runInside } from "../../test/support/inside.ts";
import { KataSession } from "../../test/support/kata-session.ts";
import { needsStage } from "../../test/support/stage.ts";

const SYSTEM = "/sys/devices/system";

/** Something of the system's that is off, as sysfs shows it. */
function plug(session: KataSession, name: string): void {
  const folder = insidePath(session, `${SYSTEM}/${name}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/online`, "0\n");
}

const isOnline = (session: KataSession, name: string) =>
  readFileSync(insidePath(session, `${SYSTEM}/${name}/online`), "utf8")[0] === "1";

/** Makes the kernel of the agent's network namespace say that a device has come. */
const makeUevent = (session: KataSession) => runInside(session, "ip", "link", "add", "type", "veth");

describe("OnlineCPUMem", needsStage, () => {
  it("brings online what is there", async () => {
    await using session = await KataSession.start();
    await session.call("OnlineCPUMem", { wait: true });
    for (const name of ["cpu/cpu1", "cpu/cpu12", "memory/memory7"]) plug(session, name);
    await session.call("OnlineCPUMem", { wait: true, nbCpus: 2, cpuOnly: true });
    assert.deepEqual(
      ["cpu/cpu1", "cpu/cpu12", "memory/memory7"].map((name) => isOnline(session, name)),
      [true, true, true],
    );
  });

  it("leaves memory alone when told to", async () => {
    await using session = await KataSession.start();
    for (const name of ["cpu/cpu1", "memory/memory7"]) plug(session, name);
    await session.call("OnlineCPUMem", { nbCpus: 1, cpuOnly: true });
    assert.deepEqual([isOnline(session, "cpu/cpu1"), isOnline(session, "memory/memory7")], [true, false]);
    await session.call("OnlineCPUMem", {});
    assert.equal(isOnline(session, "memory/memory7"), true);
  });

  it("waits for CPUs that come later, and those of an earlier request do not count", async () => {
    await using session = await KataSession.start();
    plug(session, "cpu/cpu1");
    await session.call("OnlineCPUMem", { wait: true, nbCpus: 1 });
    let answered = false;
    const waiting = session.call("OnlineCPUMem", { wait: true, nbCpus: 2 }).then(() => {
      answered = true;
    });
    plug(session, "cpu/cpu2");
    await makeUevent(session);
    await session.call("OnlineCPUMem", {});
    assert.deepEqual([isOnline(session, "cpu/cpu2"), answered], [true, false]);
    plug(session, "cpu/cpu3");
    await makeUevent(session);
    await waiting;
    assert.equal(isOnline(session, "cpu/cpu3"), true);
  });

  it("says how many came of those that it waited for", async () => {
    await using session = await KataSession.start();
    plug(session, "cpu/cpu1");
    const [{ status, message }] = await Promise.all([
      session.refuse("OnlineCPUMem", { wait: true, nbCpus: 3 }),
      delay(1),
    ]);
    assert.equal(status, "DEADLINE_EXCEEDED");
    assert.equal(message, "of 3 CPUs, 1 came online in 10000 milliseconds");
    assert.equal(
      (await session.refuse("OnlineCPUMem", { nbCpus: 4_000_000_000 })).status,
      "INVALID_ARGUMENT",
    );
  });
});

describe("the machine's methods", needsStage, () => {
  it("tell what the guest is and can", async () => {
    await using session = await KataSession.start();
    const ask = { memBlockSize: true, memHotplugProbe: true };
    const before = await session.call("GetGuestDetails", ask);
    assert.deepEqual([before.memBlockSizeBytes, before.supportMemHotplugProbe], [0n, false]);
    assert.equal(before.agentDetails?.version, "0.1.0+husk");
    assert.equal(before.agentDetails?.supportsSeccomp, true);
    const folder = insidePath(session, `${SYSTEM}/memory`);
    mkdirSync(folder);
    writeFileSync(`${folder}/block_size_bytes`, "8000000\n");
    writeFileSync(`${folder}/probe`, "");
    const after = await session.call("GetGuestDetails", ask);
    assert.deepEqual([after.memBlockSizeBytes, after.supportMemHotplugProbe], [0x8000000n, true]);
    const none = await session.call("GetGuestDetails", {});
    assert.deepEqual([none.memBlockSizeBytes, none.supportMemHotplugProbe], [0n, false]);
  });

  it("tell the kernel of memory by its addresses", async () => {
    await using session = await KataSession.start();
    const request = { memHotplugProbeAddr: [0x1_0000_0000n, 0xffff_ffff_f800_0000n] };
    assert.equal((await session.refuse("MemHotplugByProbe", request)).status, "FAILED_PRECONDITION");
    mkdirSync(insidePath(session, `${SYSTEM}/memory`));
    writeFileSync(insidePath(session, `${SYSTEM}/memory/probe`), "");
    await session.call("MemHotplugByProbe", request);
    const told = readFileSync(insidePath(session, `${SYSTEM}/memory/probe`), "utf8");
    // A file keeps what was written last over the rest.
    assert.equal(told, "18446744073575333888");
  });

  it("refuse what is no time, and set nothing", async () => {
    await using session = await KataSession.start();
    for (const request of [{ Usec: 1_000_000n }, { Usec: -1n }, { Sec: -1n }, { Sec: 2n ** 62n }]) {
      const { status, message } = await session.refuse("SetGuestDateTime", { Sec: 1n, ...request });
      assert.deepEqual([status, /are no time$/.test(message)], ["INVALID_ARGUMENT", true]);
    }
  });

  it("feed the random numbers", async () => {
    await using session = await KataSession.start();
    await session.call("ReseedRandomDev", { data: Buffer.alloc(512, "random") });
    assert.equal((await session.refuse("ReseedRandomDev", {})).status, "INVALID_ARGUMENT");
    const long = await session.refuse("ReseedRandomDev", { data: Buffer.alloc(5000) });
    assert.equal(long.message, "random data have 1 to 4096 bytes, not 5000");
  });
});

/** Figures of a text of Prometheus's format, by name and labels. */
function readFigures(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const [, name, value] = /^([a-z_]+(?:\{(?:[a-z]+="[^"\\]*",?)+\})?) ([0-9.e+-]+)$/.exec(line) ?? [];
      assert.ok(name && value, line);
      return [name, Number(value)];
    }),
  );
}

describe("GetMetrics", needsStage, () => {
  it("tells the figures of the agent and of the guest", async () => {
    await using session = await KataSession.start();
    const first = readFigures((await session.call("GetMetrics", {})).metrics);
    const second = readFigures((await session.call("GetMetrics", {})).metrics);
    assert.deepEqual(
      [first, second].map((figures) => figures.get("kata_agent_scrape_count")),
      [1, 2],
    );
    const positive = [
      "kata_agent_threads",
      "kata_agent_total_rss",
      "kata_agent_total_vm",
      "kata_agent_process_open_fds",
      "kata_agent_process_start_time_seconds",
      'kata_agent_proc_status{item="vmrss"}',
      'kata_agent_io_stat{item="rchar"}',
      'kata_guest_load{item="load15"}',
      'kata_guest_meminfo{item="memtotal"}',
      'kata_guest_meminfo{item="active_anon"}',
      'kata_guest_cpu_time{cpu="total",item="user"}',
      'kata_guest_cpu_time{cpu="0",item="system"}',
      'kata_guest_tasks{item="cur"}',
      'kata_guest_vm_stat{item="pgfault"}',
    ];
    for (const name of positive) assert.ok((second.get(name) ?? 0) > 0, name);
    assert.equal(second.get('kata_guest_netdev_stat{interface="lo",item="recv_bytes"}'), 0);
    const rss = second.get("kata_agent_total_rss") ?? 0;
    assert.ok(rss < 8 * 1024 * 1024, `${rss} bytes resident`);
  });
});

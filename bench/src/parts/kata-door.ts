import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { BenchPlace } from "../support/bench-place.ts";
import { KataGuest } from "../support/kata-guest.ts";
import { interleave, type Measurement, median, summarise } from "../support/measurement.ts";
import { DEMO_ROOTFS } from "../support/places.ts";
import { AMOUNT, startPortWriter } from "./throughput.ts";

const MIB = 2 ** 20;
/** amount of each copied file, in MiB, and of each piece of it, as Kata's hosts send them */
const [FILE, PIECE] = [64, 1];
/** calls that wait for output at a time */
const READERS = 2;
/** least number of round trips, whatever the number of runs */
const LEAST = 50;

const ROOT = "/run/bench/rootfs";
const CONTAINER = { containerId: "c", execId: "c" };
const S_IFDIR = 0o040000;

const processOf = (args: string[]) => ({ Args: args, Env: ["PATH=/bin"], Cwd: "/", User: {} });

/** (j) The Kata agent's door by itself: output, files, round trips and the agent's memory. */
export async function measureKataDoor(place: BenchPlace, runs: number): Promise<Measurement[]> {
  const port = await startPortWriter(place);
  await using guest = await KataGuest.boot(place);
  await startContainer(guest);
  const [output, plain] = await interleave(
    runs,
    () => readOutput(guest, crypto.randomUUID()),
    () => port.read(),
  );
  await port.stop();
  const files: number[] = [];
  for (let run = 0; run < runs; run++) files.push(await copyFile(guest));
  const trips: number[] = [];
  for (let run = 0; run < Math.max(runs, LEAST); run++) trips.push(await runTrue(guest, `t${run}`));
  const against = { unit: "MB/s", baseline: median(plain) };
  return [
    {
      ...{
        part: "j",
        what: "stdout of dd by ReadStdout, against dd onto a port",
        ...summarise(output),
        ...against,
      },
      target: { of: "ratio", relation: "at least", limit: 0.4 },
    },
    {
      ...{ part: "j", what: "a file by CopyFile, against dd onto a port", ...summarise(files), ...against },
      target: { of: "ratio", relation: "at least", limit: 0.3 },
    },
    { part: "j", what: "ExecProcess of true to WaitProcess", unit: "ms", ...summarise(trips) },
    {
      ...{
        part: "j",
        what: "agent's VmRSS with the door in use",
        unit: "MiB",
        value: await readResident(guest),
      },
      target: { of: "value", relation: "at most", limit: 4 },
    },
  ];
}

async function startContainer(guest: KataGuest): Promise<void> {
  await guest.call("CreateSandbox", { hostname: "bench", sandboxPidns: true });
  for (const name of ["proc", "dev"])
    await guest.call("CopyFile", { path: `${ROOT}/${name}`, fileMode: S_IFDIR | 0o755, dirMode: 0o755 });
  const busybox = await readFile(join(DEMO_ROOTFS, "bin/busybox"));
  await sendFile(guest, `${ROOT}/bin/busybox`, busybox);
  await guest.call("CreateContainer", {
    ...CONTAINER,
    sandboxPidns: true,
    OCI: {
      Version: "1.1.0",
      Root: { Path: ROOT },
      Process: processOf(["/bin/busybox", "sleep", "1000000"]),
      Mounts: [
        { destination: "/proc", type: "proc", source: "proc", options: [] },
        { destination: "/dev", type: "tmpfs", source: "tmpfs", options: [] },
      ],
      Linux: { Namespaces: [{ Type: "mount" }] },
    },
  });
  await guest.call("StartContainer", CONTAINER);
}

async function startProcess(guest: KataGuest, execId: string, args: string[]) {
  const which = { ...CONTAINER, execId };
  await guest.call("ExecProcess", { ...which, process: processOf(["/bin/busybox", ...args]) });
  return which;
}

/** Speed of a process's output in MB/s, from the first bytes to the last. */
async function readOutput(guest: KataGuest, execId: string): Promise<number> {
  const which = await startProcess(guest, execId, ["dd", "if=/dev/zero", "bs=64k", `count=${AMOUNT * 16}`]);
  let begin: number | undefined;
  let bytes = 0;
  const read = async () => {
    for (;;) {
      const answer = await guest.call("ReadStdout", { ...which, len: MIB }).catch(() => undefined);
      if (answer === undefined) return;
      begin ??= performance.now();
      bytes += answer.data.length;
    }
  };
  await Promise.all(Array.from({ length: READERS }, read));
  const speed = bytes / 1000 / (performance.now() - (begin ?? 0));
  await guest.call("WaitProcess", which);
  if (bytes !== AMOUNT * MIB) throw new Error(`${bytes} bytes came`);
  return speed;
}

async function sendFile(guest: KataGuest, path: string, contents: Uint8Array): Promise<void> {
  const fileSize = BigInt(contents.length);
  let before: Promise<unknown> = Promise.resolve();
  for (let at = 0; at < contents.length; at += PIECE * MIB) {
    const data = contents.subarray(at, at + PIECE * MIB);
    const request = { path, fileSize, fileMode: 0o755, dirMode: 0o755, offset: BigInt(at), data };
    // The next piece is on its way while one is written.
    const call = guest.call("CopyFile", request);
    await before;
    before = call;
  }
  await before;
}

/** Speed of a file's way into the guest, in MB/s. */
async function copyFile(guest: KataGuest): Promise<number> {
  const contents = Buffer.alloc(FILE * MIB, "0123456789");
  const begin = performance.now();
  await sendFile(guest, "/run/bench/file", contents);
  return contents.length / 1000 / (performance.now() - begin);
}

async function runTrue(guest: KataGuest, execId: string): Promise<number> {
  const begin = performance.now();
  const which = await startProcess(guest, execId, ["true"]);
  await guest.call("WaitProcess", which);
  return performance.now() - begin;
}

/** Memory that the agent has resident, in MiB. */
async function readResident(guest: KataGuest): Promise<number> {
  const { metrics } = await guest.call("GetMetrics", {});
  return Number(/^kata_agent_total_rss (\d+)$/m.exec(metrics)?.[1]) / MIB;
}

/** Processes in cgroups: each scenario makes one, and prints what became of it. As the first process of a VM it runs all. */
import * as sys from "tiny:sys";
import {
  CLOCK_MONOTONIC,
  Errno,
  exitCode,
  hasErrno,
  isSystemError,
  makeDirectories,
  O_RDONLY,
  O_RDWR,
  onExit,
  RB_POWER_OFF,
  readText,
  run,
  startTimer,
  withFile,
  writeAll,
} from "@husk/tiny";
import { LinuxDeviceCgroup, LinuxResources } from "@husk/wire/kata";
import {
  decodeMessage,
  encodeMessage,
  type Message,
  type MessageInit,
  type MessageType,
} from "@husk/wire/protobuf";
import { Cgroup, COUNTING } from "../../src/core/cgroup/cgroup.ts";
import { watchEvents } from "../../src/core/cgroup/event-file.ts";
import { CGROUPS, mountCgroups } from "../../src/core/cgroup/hierarchy.ts";
import { limitContainer } from "../../src/core/cgroup/limit-container.ts";
import { forkChild } from "../../src/core/fork-child.ts";

const S_IFBLK = 0o060000;
const MIB = 1 << 20;
/** Milliseconds in which nothing happens: who is woken again and again is woken hundreds of times in them. */
const IDLE_MS = 50;

function message<T extends Message>(type: MessageType<T>, init: MessageInit<T>): T {
  return decodeMessage(type, encodeMessage(type, init));
}

const limits = (init: MessageInit<LinuxResources>) => message(LinuxResources, init);
const rule = (init: MessageInit<LinuxDeviceCgroup>) => message(LinuxDeviceCgroup, init);

/** A child in the cgroup, and how it will have ended. */
function start(cgroup: Cgroup, work: () => number): { pid: number; ended: Promise<number> } {
  const pid = forkChild(() => {
    cgroup.joinSelf();
    sys.exit(work());
  });
  return { pid, ended: new Promise((resolve) => onExit(pid, (status) => resolve(exitCode(status)))) };
}

/** A child in the cgroup that reads for ever from a pipe, once it is in it. */
async function startSleeper(cgroup: Cgroup) {
  const [read, write] = sys.pipe2(0);
  const [hear, tell] = sys.pipe2(0);
  const byte = new Uint8Array(1);
  const child = start(cgroup, () => {
    sys.write(tell, byte, 0, 1);
    sys.read(read, byte, 0, 1);
    return 5;
  });
  sys.read(hear, byte, 0, 1);
  return { ...child, wake: () => sys.write(write, byte, 0, 1) };
}

/** The errno that a task fails with; 0 when it does not. */
function errnoOf(task: () => void): number {
  try {
    task();
    return 0;
  } catch (error) {
    return isSystemError(error) ? error.errno : -1;
  }
}

function errorOf(task: () => void): string {
  try {
    task();
    return "nothing";
  } catch (error) {
    return String(error);
  }
}

async function withCgroup<T>(
  name: string,
  use: (cgroup: Cgroup) => Promise<T>,
  controllers = new Set(COUNTING),
): Promise<T> {
  const cgroup = new Cgroup(`husk/${name}`, controllers);
  try {
    return await use(cgroup);
  } finally {
    cgroup.kill();
    await cgroup.empty();
    cgroup.remove();
  }
}

const file = (name: string, of: string) => readText(`/sys/fs/cgroup/husk/${name}/${of}`).trimEnd();

/** What opening a device of blocks gives, for which no machine here has a driver. */
function openBlock(): number {
  return errnoOf(() => withFile("/tmp/block", O_RDONLY, 0, () => {}));
}

/** Makes that device in a file system of its own, which goes with this program's namespaces. */
function makeBlock(): void {
  makeDirectories("/tmp");
  sys.mount("tmpfs", "/tmp", "tmpfs", 0, null);
  sys.mknod("/tmp/block", S_IFBLK | 0o600, sys.makedev(1, 0));
}

const scenarios: Record<string, () => Promise<unknown>> = {
  /** Opens null and a block device, without rules, by rules, and by others. */
  devices: () =>
    withCgroup("devices", async (cgroup) => {
      const look = () =>
        start(cgroup, () => {
          withFile("/dev/null", O_RDWR, 0, () => {});
          return openBlock();
        }).ended;
      makeBlock();
      const before = openBlock();
      const free = await look();
      cgroup.limitDevices([rule({ Allow: false, Type: "a", Major: -1n, Minor: -1n, Access: "rwm" })]);
      const denied = await look();
      cgroup.limitDevices([rule({ Allow: true, Type: "b", Major: 1n, Minor: -1n, Access: "r" })]);
      const allowed = await look();
      const bad = errorOf(() => cgroup.limitDevices([rule({ Type: "x" })]));
      const still = await look();
      return {
        unlike: [before, free].indexOf(Errno.EPERM),
        denied,
        freed: allowed === free,
        bad,
        kept: still === allowed,
      };
    }),

  /** Stops a process, which does not answer until it may go on, and kills another that is stopped. */
  freezer: () =>
    withCgroup("freezer", async (cgroup) => {
      const { ended, wake } = await startSleeper(cgroup);
      await cgroup.freeze();
      wake();
      const frozen = [cgroup.frozen, file("freezer", "cgroup.events").includes("frozen 1")];
      const populated = file("freezer", "cgroup.events").includes("populated 1");
      await cgroup.thaw();
      const code = await ended;
      const other = await startSleeper(cgroup);
      await Promise.all([cgroup.freeze(), cgroup.freeze()]);
      cgroup.kill();
      return { frozen, populated, code, killed: await other.ended, after: await cgroup.thaw() };
    }),

  /** Cgroups that processes have made in their own are removed with it, and those above that are empty. */
  async nested() {
    const cgroup = new Cgroup("pods/a/b");
    const taken = errorOf(() => new Cgroup("/pods/a/b/"));
    const code = await start(cgroup, () => {
      makeDirectories("/sys/fs/cgroup/pods/a/b/inner/most");
      return 3;
    }).ended;
    await cgroup.empty();
    cgroup.remove();
    const left = sys.readdir("/sys/fs/cgroup").filter((name) => name === "pods");
    const bad = ["..", "a/../b", "", "a\nb"].map((path) => errorOf(() => new Cgroup(path)));
    return { code, left, taken, bad };
  },

  hugetlb: () =>
    withCgroup("hugetlb", async (cgroup) => {
      cgroup.limit(limits({ HugepageLimits: [{ Pagesize: "2MB", Limit: 4194304n }] }));
      const set = file("hugetlb", "hugetlb.2MB.max");
      const twice = [
        { Pagesize: "2MB", Limit: 0n },
        { Pagesize: "3MB", Limit: 0n },
      ];
      const bad = errorOf(() => cgroup.limit(limits({ HugepageLimits: twice })));
      const usage = cgroup.stats().hugetlbStats?.get("2MB")?.usage;
      return { set, bad, after: file("hugetlb", "hugetlb.2MB.max"), usage: String(usage) };
    }),

  /** Sets one limit of each kind, then some of which one cannot be. */
  limits: () =>
    withCgroup("limits", async (cgroup) => {
      cgroup.limit(
        limits({
          CPU: { Shares: 512n, Quota: 50_000n, Period: 20_000n, Cpus: "0", Mems: "0" },
          Memory: { Limit: BigInt(64 * MIB), Swap: BigInt(96 * MIB), Reservation: BigInt(MIB) },
          Pids: { Limit: 50n },
          BlockIO: { Weight: 500 },
        }),
      );
      const names = [
        "cpu.weight",
        "cpu.max",
        "cpuset.cpus",
        "memory.max",
        "memory.swap.max",
        "memory.low",
        "pids.max",
        "io.weight",
      ];
      const read = () => names.map((name) => file("limits", name));
      const set = read();
      const unknown = { Major: 250n, Minor: 7n, Rate: 1000n };
      const bad = errorOf(() =>
        cgroup.limit(
          limits({
            CPU: { Period: 10_000n, Mems: "0" },
            Memory: { Limit: -1n },
            Pids: { Limit: -1n },
            BlockIO: { Weight: 100, ThrottleReadBpsDevice: [unknown] },
          }),
        ),
      );
      const same = read().join() === set.join();
      cgroup.limit(limits({ CPU: { Period: 10_000n }, Memory: { Limit: -1n } }));
      return { set, bad, same, changed: [file("limits", "cpu.max"), file("limits", "memory.max")] };
    }),

  /** Forks without end, in the bounds of 50; its neighbour forks as it likes. */
  forks: () =>
    withCgroup("forks", async (cgroup) => {
      cgroup.limit(limits({ Pids: { Limit: 50n } }));
      const [hold] = sys.pipe2(0);
      const bomb = start(cgroup, () => {
        for (let count = 1; ; count++) {
          try {
            if (sys.fork(0) === 0) {
              sys.read(hold, new Uint8Array(1), 0, 1);
              sys.exit(0);
            }
          } catch (error) {
            return hasErrno(error, Errno.EAGAIN) ? count : 255;
          }
        }
      });
      const count = await bomb.ended;
      const stats = cgroup.stats().pidsStats;
      const neighbour = await withCgroup("neighbour", (other) => start(other, () => 7).ended);
      return { count, current: String(stats?.current), limit: String(stats?.limit), neighbour };
    }),

  /** Counts how often the events of a cgroup are told: while nothing happens, and once a process has come and gone. */
  events: () =>
    withCgroup("events", async (cgroup) => {
      let told = 0;
      let tell = () => {};
      const stop = watchEvents(`${CGROUPS}/husk/events/cgroup.events`, () => {
        told += 1;
        tell();
      });
      await new Promise<void>((resolve) => startTimer(IDLE_MS, resolve));
      // Once at the beginning, and perhaps once for what was before that.
      const quiet = told <= 2;
      const heard = new Promise<void>((resolve) => {
        tell = resolve;
      });
      await start(cgroup, () => 0).ended;
      await heard;
      stop();
      return { quiet };
    }),

  /** Fills its memory, in the bounds of 32 MiB; its neighbour lives. */
  memory: () =>
    withCgroup("memory", (cgroup) =>
      withCgroup("neighbour", async (other) => {
        cgroup.limit(limits({ Memory: { Limit: BigInt(32 * MIB), Swap: BigInt(32 * MIB) } }));
        let told = 0;
        const heard = new Promise<void>((resolve) =>
          cgroup.onOom(() => {
            told++;
            resolve();
          }),
        );
        const neighbour = await startSleeper(other);
        const code = await start(cgroup, () => {
          const kept: Uint8Array[] = [];
          for (let count = 0; count < 64; count++) kept.push(new Uint8Array(MIB).fill(1));
          return kept.length;
        }).ended;
        await heard;
        neighbour.wake();
        const { usage } = cgroup.stats().memoryStats ?? {};
        return {
          code,
          told,
          neighbour: await neighbour.ended,
          limit: String(usage?.limit),
          met: (usage?.failcnt ?? 0n) > 0n,
          peak: (usage?.maxUsage ?? 0n) > BigInt(24 * MIB),
        };
      }),
    ),

  /** What a container has from the beginning, and what an update that fails and one that does not leave of it. */
  container: () =>
    withCgroup("container", async (cgroup) => {
      const access = { Major: -1n, Minor: -1n, Access: "rwm" };
      makeBlock();
      const look = () => start(cgroup, openBlock).ended;
      limitContainer(cgroup, { Devices: [] });
      const most = Number(readText("/proc/sys/kernel/threads-max"));
      const bounded = Number(file("container", "pids.max")) < most;
      const denied = await look();
      const Devices = [{ Allow: true, Type: "b", ...access }];
      const bad = errorOf(() =>
        cgroup.update(limits({ Pids: { Limit: 7n }, Devices: [{ ...access, Type: "x" }] })),
      );
      const worse = errorOf(() =>
        cgroup.update(limits({ Pids: { Limit: 7n }, Memory: { Limit: -7n }, Devices })),
      );
      const same = [Number(file("container", "pids.max")) < 10, (await look()) === denied];
      cgroup.update(limits({ Pids: { Limit: 9n }, Devices }));
      const after = [file("container", "pids.max"), (await look()) === denied];
      return { bounded, denied, bad, worse, same, after };
    }),

  /** Counts what a process uses that writes 8 MiB of memory and of time. */
  async counts() {
    const cgroup = new Cgroup("husk/counts", COUNTING);
    const [hold, wake] = sys.pipe2(0);
    const [hear, tell] = sys.pipe2(0);
    const byte = new Uint8Array(1);
    const child = start(cgroup, () => {
      const kept = new Uint8Array(8 * MIB).fill(1);
      const until = sys.clock(CLOCK_MONOTONIC) + 50;
      while (sys.clock(CLOCK_MONOTONIC) < until);
      sys.write(tell, byte, 0, 1);
      sys.read(hold, byte, 0, 1);
      return kept[0] ?? 0;
    });
    sys.read(hear, byte, 0, 1);
    const { cpuStats, memoryStats, pidsStats } = cgroup.stats();
    sys.write(wake, byte, 0, 1);
    await child.ended;
    await cgroup.empty();
    cgroup.remove();
    return {
      cpu: (cpuStats?.cpuUsage?.totalUsage ?? 0n) > 20_000_000n,
      memory: (memoryStats?.usage?.usage ?? 0n) > BigInt(8 * MIB),
      anon: (memoryStats?.stats?.get("anon") ?? 0n) > BigInt(8 * MIB),
      unlimited: memoryStats?.usage?.limit === (1n << 64n) - 1n,
      pids: String(pidsStats?.current),
    };
  },

  /** Milliseconds that cgroups take: the first with controllers, more of them, and those without. */
  async times() {
    const time = (task: () => void) => {
      const from = sys.clock(CLOCK_MONOTONIC);
      task();
      return Number((sys.clock(CLOCK_MONOTONIC) - from).toFixed(2));
    };
    const cgroups: Cgroup[] = [];
    const make = (name: string, ...more: [typeof COUNTING] | []) => {
      const cgroup = new Cgroup(`husk/${name}`, ...more);
      cgroups.push(cgroup);
      return cgroup;
    };
    const plain = time(() => make("plain"));
    const first = time(() => make("first", COUNTING));
    const second = time(() => make("second", COUNTING));
    const whole = time(() => limitContainer(make("whole", COUNTING), { Devices: [] }));
    const devices = time(() => cgroups[0]?.limitDevices([]));
    const stats = time(() => cgroups[1]?.stats());
    const removal = cgroups.map((cgroup) => time(() => cgroup.remove()));
    return { plain, first, second, whole, devices, stats, removal };
  },
};

/** One line for each scenario; one that fails says why. */
async function runAll(names: string[]): Promise<void> {
  for (const name of names) {
    const scenario = scenarios[name];
    if (!scenario) throw new Error(`no scenario "${name}"`);
    const found = await scenario().catch((error: unknown) => ({ error: String(error) }));
    writeAll(1, sys.encodeUtf8(`${name} ${JSON.stringify(found)}\n`));
  }
}

/** What the first process of a VM must do before it can do anything. */
function bootMachine(): void {
  for (const [folder, type] of [
    ["/proc", "proc"],
    ["/sys", "sysfs"],
    ["/dev", "devtmpfs"],
  ] as const) {
    makeDirectories(folder);
    sys.mount(type, folder, type, 0, null);
  }
  const console = sys.open("/dev/console", O_RDWR, 0);
  for (const fd of [0, 1, 2]) if (fd !== console) sys.dup2(console, fd);
}

run(async () => {
  const isMachine = sys.getpid() === 1 && sys.argv.includes("machine");
  if (isMachine) bootMachine();
  mountCgroups();
  await runAll(sys.argv.slice(1).filter((name) => name !== "machine"));
  if (isMachine) sys.reboot(RB_POWER_OFF);
});

/** The agent as a process of this host: in namespaces and a cgroup of its own, with two sockets for its channels. */
import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { mkdtemp, readdir, readFile, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { promisify } from "node:util";
import { buildProgram } from "@husk/tiny/build";

/** Milliseconds that an agent has to end when its host has hung up. */
const END_MS = 10_000;

/** Where this host has its cgroups of version 2, if it has them. */
const cgroups = readFileSync("/proc/self/mountinfo", "utf8")
  .split("\n")
  .find((line) => line.includes(" - cgroup2 "))
  ?.split(" ")[4];

function missing(): string | false {
  if (process.getuid?.() !== 0) return "root, for namespaces";
  if (!cgroups || !existsSync(cgroups)) return "cgroups of version 2";
  if (!existsSync("/usr/bin/unshare")) return "unshare of util-linux";
  return false;
}

const lack = missing();

/** For `test()`: a loud reason to leave a test out where the agent cannot be run on the host. */
export const needsStage: { skip: string | false } = { skip: lack && `SKIPPED: needs ${lack}` };

/** Joins the cgroup that is the first argument, and becomes the rest. */
const JOIN = 'echo $$ > "$1/cgroup.procs" && shift && exec "$@"';
/**
 * Has an empty /run, sees nothing of this host's CPUs, memory and PCI bus, mounts folders as shares by their tags, up to
 * the `--`, and becomes the rest.
 */
const FURNISH = `for folder in /run /sys/devices/system /sys/bus/pci; do
  [ ! -d $folder ] || mount -t tmpfs tmpfs $folder || exit 1
done
while [ "$1" != -- ]; do
  mkdir -p "/run/husk/shares/$1" && mount --bind "$2" "/run/husk/shares/$1" && shift 2 || exit 1
done
shift && exec "$@"`;
/**
 * Becomes the rest without what could change this host, whatever the agent is asked for: its file systems are read-only,
 * and so are its kernel's parameters; its clock, its modules and its power are not the agent's.
 */
const CONFINE = `mount --bind /proc/sys /proc/sys || exit 1
for folder in / /dev /dev/shm /sys /proc/sys; do mount -o remount,bind,ro $folder || exit 1; done
exec setpriv --bounding-set=-sys_time,-sys_module,-sys_boot,-sys_rawio "$@"`;
const NAMESPACES = [
  "--mount",
  "--pid",
  "--fork",
  "--net",
  "--ipc",
  "--uts",
  "--cgroup",
  "--mount-proc",
  "--kill-child",
];

let built: Promise<string> | undefined;

/** The path of the agent, built once per test file. */
function agentPath(): Promise<string> {
  built ??= (async () => {
    const folder = await mkdtemp(join(tmpdir(), "husk-agent-"));
    process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
    const entry = join(import.meta.dirname, "..", "..", "src", "main.ts");
    return (await buildProgram({ entry, output: join(folder, "agent") })).output;
  })();
  return built;
}

/** Milliseconds that a staged program may take. */
const STAGED_MS = 60_000;

/** The arguments by which the agent opens a door at the descriptors it inherits. Kata's has only the first. */
const DOORS = { hyperstart: ["hyperstart", "3", "4"], kata: ["kata", "3"] };

/** A running agent. */
export interface Stage {
  child: ChildProcess;
  control: Duplex;
  stream: Duplex;
  /** folder of the cgroup that holds all that the agent starts */
  cgroup: string;
}

/** What an agent finds when it starts. */
export interface StageOptions {
  /** folders of this host that the agent has as shares, by their tags */
  shares?: Record<string, string>;
  /** which of its doors is open; default: hyperstart's */
  door?: keyof typeof DOORS;
  /** whether it may be asked for anything: this host is then out of its reach; default: false */
  confined?: boolean;
}

/** Starts the agent. The caller ends it by {@link endStage}. */
export async function setStage(options: StageOptions = {}): Promise<Stage> {
  const { shares = {}, door = "hyperstart", confined = false } = options;
  const agent = await agentPath();
  const cgroup = await mkdtemp(join(cgroups ?? "", "husk-test-"));
  const mounts = Object.entries(shares).flat();
  const confine = confined ? ["/bin/sh", "-c", CONFINE, "sh"] : [];
  const inner = ["--", "/bin/sh", "-c", FURNISH, "sh", ...mounts, "--", ...confine, agent, ...DOORS[door]];
  const args = ["-c", JOIN, "sh", cgroup, "unshare", ...NAMESPACES, ...inner];
  const child = spawn("/bin/sh", args, { stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"] });
  return { child, control: child.stdio[3] as Duplex, stream: child.stdio[4] as Duplex, cgroup };
}

/** Runs a program to its end in namespaces and a cgroup as an agent has them; gives what it wrote. It must succeed. */
export async function runStaged(program: string, ...args: string[]): Promise<string> {
  const cgroup = await mkdtemp(join(cgroups ?? "", "husk-test-"));
  const command = ["-c", JOIN, "sh", cgroup, "unshare", ...NAMESPACES, program, ...args];
  const { stdout } = await promisify(execFile)("/bin/sh", command, {
    timeout: STAGED_MS,
    killSignal: "SIGKILL",
  });
  assert.deepEqual(await clearStage({ cgroup }), [], "no process is left");
  return stdout;
}

async function foldersOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const inner = entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => foldersOf(join(folder, name)));
  return [...(await Promise.all(inner)).flat(), folder];
}

/** Removes the cgroups of an ended agent; gives the processes that are left in them, of which there should be none. */
async function clearStage({ cgroup }: Pick<Stage, "cgroup">): Promise<string[]> {
  const folders = await foldersOf(cgroup);
  const texts = await Promise.all(folders.map((folder) => readFile(join(folder, "cgroup.procs"), "utf8")));
  const pids = texts.flatMap((text) => text.split("\n").filter(Boolean));
  if (pids.length === 0) for (const folder of folders) await rmdir(folder);
  return pids;
}

/** Hangs up. The agent must end by itself, with 0, and nothing of it may be left; `readLog` gives what it said. */
export async function endStage(stage: Stage, readLog: () => string): Promise<void> {
  const { child, control, stream } = stage;
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, "exit");
    for (const socket of [control, stream]) socket.destroy();
    // unshare takes the agent with it; the exit code then tells.
    const timer = setTimeout(() => child.kill("SIGKILL"), END_MS);
    await exited;
    clearTimeout(timer);
  }
  const left = await clearStage(stage);
  assert.deepEqual({ code: child.exitCode, left }, { code: 0, left: [] }, readLog());
}

/** A fresh folder that the agent sees too, and its removal. */
export async function makeFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), "husk-agent-test-"));
  return {
    path,
    [Symbol.asyncDispose]: async () => rmSync(path, { recursive: true, force: true }),
  };
}

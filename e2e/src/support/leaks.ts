import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** A process that still runs although its pod should be gone. */
interface LeftProcess {
  pid: number;
  /** its command line, blanks between arguments */
  command: string;
}

/**
 * Finds the processes of this test's pods: those that carry its state directory in their environment or on
 * their command line (QEMU, flock and husk all do one or the other), or write a log there (virtiofsd).
 */
export function findProcesses(stateDirectory: string): LeftProcess[] {
  const pids = readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name));
  return pids.flatMap((name) => {
    const command = readProc(name, "cmdline").replaceAll("\0", " ").trim();
    const words = readProc(name, "environ").split("\0");
    const ours =
      words.includes(`HUSK_ROOT=${stateDirectory}`) ||
      command.includes(stateDirectory) ||
      readLink(name, "fd/1").startsWith(stateDirectory);
    const pid = Number(name);
    return ours && pid !== process.pid && isAlive(pid) ? [{ pid, command }] : [];
  });
}

/** Names of the network namespaces that there are for this file of tests, and of the links in its own one. */
export function findNetworks(): string[] {
  return ["/run/netns", "/sys/class/net"].flatMap((folder) => {
    const names = existsSync(folder) ? readdirSync(folder) : [];
    return names.map((name) => join(folder, name));
  });
}

/**
 * Tells everything that a test has left behind, in words; empty: nothing.
 * @param networks what `findNetworks` found when the test began
 */
export function findLeaks(stateDirectory: string, networks: readonly string[]): string[] {
  const processes = findProcesses(stateDirectory).map(({ pid, command }) => `process ${pid}: ${command}`);
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const ownMounts = mounts.filter((line) => line.includes(stateDirectory)).map((line) => `mount: ${line}`);
  const ownNetworks = findNetworks().filter((path) => !networks.includes(path));
  return [
    ...processes,
    ...ownMounts,
    ...ownNetworks.map((path) => `network: ${path}`),
    ...findFiles(stateDirectory),
    ...findDescriptors(stateDirectory),
  ];
}

/** Whatever is left of pods in the state directory; the empty folders that hold pods may stay. */
function findFiles(stateDirectory: string): string[] {
  if (!existsSync(stateDirectory)) return [];
  const entries = readdirSync(stateDirectory, { recursive: true, withFileTypes: true });
  const left = entries.filter((entry) => !(entry.isDirectory() && entry.parentPath === stateDirectory));
  return left.map((entry) => `file: ${join(entry.parentPath, entry.name)}`);
}

/** Descriptors of this process on files of the state directory: the library must not keep any. */
function findDescriptors(stateDirectory: string): string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.startsWith(stateDirectory) ? [`descriptor ${fd}: ${target}`] : [];
    } catch {
      // It was closed between the two calls.
      return [];
    }
  });
}

/** Whether a process runs. One that has ended and waits for its parent does not. */
export function isAlive(pid: number): boolean {
  return /^State:\s+[^ZX]/m.test(readProc(`${pid}`, "status"));
}

function readLink(pid: string, file: string): string {
  try {
    return readlinkSync(join("/proc", pid, file));
  } catch {
    // It has ended meanwhile, or is not ours to look at.
    return "";
  }
}

function readProc(pid: string, file: string): string {
  try {
    return readFileSync(join("/proc", pid, file), "latin1");
  } catch {
    // It has ended meanwhile, or is not ours to look at.
    return "";
  }
}

/** The processes of a container, read from /proc in the numbers of the pod's PID namespace. */

import * as sys from "tiny:sys";
import { CLOCK_BOOTTIME, CLOCK_REALTIME, Errno, errorText, hasErrno, readBytes, readText } from "@husk/tiny";
import { MAX_LISTED_PROCESSES } from "@husk/wire/hyperstart";
import { log } from "../log.ts";
import { askChild } from "./ask-child.ts";
import { type Files, readFileHere } from "./container-files.ts";
import { formatTable, type ProcessFacts } from "./ps-columns.ts";
import { parsePsOptions } from "./ps-options.ts";
import { parsePasswd } from "./user-database.ts";

/** Most bytes of a command line that are shown. */
const ARGS_BYTES = 1024;
/** Most bytes of a list or table. */
const LIST_BYTES = 8 * 1024 * 1024;
/** The kernel's unit of time in /proc, per second. */
const TICKS = 100;
const PAGE_KIB = 4;

/** What is read of the machine, once for all processes. */
interface Machine {
  /** seconds since it was started */
  uptime: number;
  /** seconds since 1970 */
  now: number;
  /** memory in KiB */
  memory: number;
}

function readMachine(): Machine {
  return {
    uptime: sys.clock(CLOCK_BOOTTIME) / 1000,
    now: sys.clock(CLOCK_REALTIME) / 1000,
    memory: Number(/MemTotal:\s+(\d+)/.exec(readText("/proc/meminfo"))?.[1] ?? 0),
  };
}

/** Numbers of a line of /proc/PID/status, the agent's own namespace first, the pod's second. */
function statusNumbers(status: string, name: string): number[] {
  const line = new RegExp(`^${name}:(.*)$`, "m").exec(status)?.[1] ?? "";
  return line.trim().split(/\s+/).map(Number);
}

/** A number of a process in the pod's PID namespace; 0 for one that is not in it, as the kernel shows it there. */
function inPod(status: string, name: string): number {
  return statusNumbers(status, name)[1] ?? 0;
}

function parentInPod(pid: string): number {
  try {
    return inPod(readText(`/proc/${pid}/status`), "NSpid");
  } catch {
    // It has ended; who is the parent now is not worth another look.
    return 0;
  }
}

/** The beginning of a command line, its words with blanks between. */
function readArgs(pid: number): string {
  let bytes: Uint8Array;
  try {
    bytes = readBytes(`/proc/${pid}/cmdline`, 4 << 20).subarray(0, ARGS_BYTES);
  } catch {
    return "";
  }
  // What a process calls itself may hold anything; a table has one line for it.
  return sys
    .decodeUtf8(bytes)
    .replace(/\0+$/, "")
    .replace(/\p{Cc}/gu, " ");
}

function readFacts(pid: number, machine: Machine): ProcessFacts {
  const stat = readText(`/proc/${pid}/stat`);
  const status = readText(`/proc/${pid}/status`);
  const [open, close] = [stat.indexOf("("), stat.lastIndexOf(")")];
  const comm = stat.slice(open + 1, close).replace(/\p{Cc}/gu, "?");
  // Field 3 of proc_pid_stat(5), the state, is the first here.
  const fields = stat.slice(close + 2).split(" ");
  const field = (number: number) => Number(fields[number - 3]);
  const elapsed = Math.max(0, machine.uptime - field(22) / TICKS);
  const uid = statusNumbers(status, "Uid")[1] ?? 0;
  return {
    pid: inPod(status, "NSpid"),
    ppid: parentInPod(fields[1] ?? ""),
    pgid: inPod(status, "NSpgid"),
    sid: inPod(status, "NSsid"),
    uid,
    gid: statusNumbers(status, "Gid")[1] ?? 0,
    user: String(uid),
    comm,
    args: readArgs(pid) || `[${comm}]`,
    state: fields[0] ?? "?",
    nice: field(19),
    threads: field(20),
    tty: field(7),
    cpu: (field(14) + field(15)) / TICKS,
    elapsed,
    started: machine.now - elapsed,
    vsz: Math.round(field(23) / 1024),
    rss: field(24) * PAGE_KIB,
    memory: machine.memory,
  };
}

/** What `read` gives of each, without those that have ended meanwhile. */
function ofLiving<T>(pids: readonly number[], read: (pid: number) => T): T[] {
  return pids.flatMap((pid) => {
    try {
      return [read(pid)];
    } catch (error) {
      if (hasErrno(error, Errno.ENOENT, Errno.ESRCH)) return [];
      throw error;
    }
  });
}

function checkCount(pids: readonly number[]): void {
  if (pids.length > MAX_LISTED_PROCESSES) {
    throw new Error(`${pids.length} processes are more than the ${MAX_LISTED_PROCESSES} that are listed`);
  }
}

/** The names of the container's users by their numbers; none when it has no such file. */
function readUserNames(): Map<number, string> {
  try {
    const passwd = sys.decodeUtf8(readFileHere("/etc/passwd"));
    return new Map(parsePasswd(passwd).map(({ uid, name }) => [uid, name.replace(/\s/g, "?")]));
  } catch (error) {
    log("debug", `names of users: ${errorText(error)}`);
    return new Map();
  }
}

/** The pids of processes in the pod's PID namespace, as JSON. @param pids as the agent sees them */
export async function listPids(pids: readonly number[]): Promise<Uint8Array> {
  checkCount(pids);
  return askChild("listing processes", LIST_BYTES, () => {
    const found = ofLiving(pids, (pid) => inPod(readText(`/proc/${pid}/status`), "NSpid"));
    return sys.encodeUtf8(JSON.stringify(found.sort((a, b) => a - b)));
  });
}

/**
 * A table of processes, as ps writes it.
 *
 * @param pids as the agent sees them
 * @param psargs options of ps
 * @param files where the names of users are
 */
export async function tabulateProcesses(
  pids: readonly number[],
  psargs: readonly string[],
  files: Files,
): Promise<Uint8Array> {
  const columns = parsePsOptions(psargs);
  checkCount(pids);
  // In a child, as a command line is read from memory of the process, which may make the reader wait.
  return askChild("listing processes", LIST_BYTES, () => {
    const machine = readMachine();
    const processes = ofLiving(pids, (pid) => readFacts(pid, machine)).sort((a, b) => a.pid - b.pid);
    files.enterRoot();
    const names = readUserNames();
    return sys.encodeUtf8(
      formatTable(
        columns,
        processes.map((process) => ({ ...process, user: names.get(process.uid) ?? process.user })),
      ),
    );
  });
}

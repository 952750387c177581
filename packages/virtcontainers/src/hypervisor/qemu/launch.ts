import { type ChildProcess, type SpawnOptions, type StdioOptions, spawn } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { HuskError, messageOf, systemCode } from "../../errors/index.ts";
import { SHARE_FD } from "../../storage/share-namespace.ts";
import type { ServedShares } from "../../storage/shares.ts";
import { lockDescriptor, openLockFile } from "../../store/flock.ts";
import type { PodDirectory } from "../../store/pod-directory.ts";
import { identifyProcess, type ProcessIdentity } from "../../store/process-identity.ts";
import type { SerialPort } from "../types.ts";
import { INHERITED } from "./command-line.ts";
import { type ListeningSocket, listenForChild } from "./listening-socket.ts";

/** A QEMU process that has just been started. */
export interface LaunchedQemu {
  readonly child: ChildProcess;
  readonly identity: ProcessIdentity;
  /** settles when the VM's lock is held by the process */
  readonly locked: Promise<void>;
}

/** What the process of a VM has of the host beside what every one has. */
export interface Surroundings {
  /** serial ports of the VM, at most two, whose sockets it inherits */
  readonly ports: readonly SerialPort[];
  readonly shares?: ServedShares | undefined;
  /** path of the network namespace that it lives in; default: the caller's */
  readonly netNSPath?: string | undefined;
  /** file with the state that it begins with; missing: it boots */
  readonly statePath?: string | undefined;
  /** device nodes that it inherits open, their descriptors behind those of the shares */
  readonly nodes: readonly string[];
}

/** Our descriptors of what QEMU inherits. */
type Heirlooms = Record<keyof typeof INHERITED, number | undefined>;

async function prepareSockets(
  directory: PodDirectory,
  ports: readonly SerialPort[],
): Promise<ListeningSocket[]> {
  const names = ["qmp" as const, ...ports.map(({ socket }) => socket)];
  const made = await Promise.allSettled(names.map((name) => listenForChild(directory.socket(name))));
  const sockets = made.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const failed = made.find((result) => result.status === "rejected");
  if (!failed) return sockets;
  for (const socket of sockets) socket.close();
  throw failed.reason;
}

/**
 * Starts QEMU in a session of its own, so that it survives its caller. Its sockets listen before it starts and are
 * handed over, as are console, log and lock: nobody has to wait until QEMU has made them.
 * @throws HuskError ERR_NETWORK_LINK, ERR_QEMU_MISSING, ERR_QEMU_START, ERR_STORE
 */
export async function launchQemu(
  program: string,
  args: readonly string[],
  directory: PodDirectory,
  { ports, shares, netNSPath, statePath, nodes }: Surroundings,
): Promise<LaunchedQemu> {
  const sockets = await prepareSockets(directory, ports);
  const console = openSync(directory.file("console"), "w", 0o600);
  const log = openSync(directory.file("hypervisorLog"), "w", 0o600);
  const vmLock = openLockFile(directory.file("vmLock"));
  const opened: number[] = [];
  try {
    const nodeFds = nodes.map((path) => {
      const fd = openNode(path);
      opened.push(fd);
      return fd;
    });
    const state = statePath === undefined ? undefined : openState(statePath);
    if (state !== undefined) opened.push(state);
    const [qmp, port0, port1] = sockets.map(({ fd }) => fd);
    const heirlooms: Heirlooms = { qmp, port0, port1, console, vmLock, state };
    // What is wrapped tells on its standard output when it is ready, and goes on with the log.
    const stdio: StdioOptions = ["ignore", shares?.wrap ? "pipe" : log, log];
    for (const [name, fd] of Object.entries(INHERITED))
      stdio[fd] = heirlooms[name as keyof Heirlooms] ?? "ignore";
    for (const [index, fd] of shares?.fds.entries() ?? []) stdio[SHARE_FD + index] = fd ?? "ignore";
    for (const fd of nodeFds) stdio.push(fd);
    const wrapped = shares?.wrap?.(program, args) ?? { program, args };
    const command = netNSPath === undefined ? wrapped : inNetwork(netNSPath, wrapped);
    const cwd = shares?.wrap ? directory.path : "/";
    const child = await spawnQemu(command.program, command.args, { stdio, detached: true, cwd });
    child.unref();
    const identity = identifyProcess(child.pid ?? 0);
    if (!identity) throw new HuskError("ERR_QEMU_START", "QEMU ended at once");
    return { child, identity, locked: lockForHeir(vmLock) };
  } catch (error) {
    closeSync(vmLock);
    throw error;
  } finally {
    for (const socket of sockets) socket.close();
    for (const fd of [console, log, ...opened]) closeSync(fd);
  }
}

function openState(path: string): number {
  try {
    return openSync(path, "r");
  } catch (error) {
    const text = `the template that the VM was to begin with is not there any more: ${messageOf(error)}`;
    throw new HuskError("ERR_STORE", text, { cause: error, hint: "Call again: it is made anew." });
  }
}

function openNode(path: string): number {
  try {
    return openSync(path, constants.O_RDWR);
  } catch (error) {
    const text = `the device node of a macvtap interface cannot be opened: ${messageOf(error)}`;
    throw new HuskError("ERR_NETWORK_LINK", text, { cause: error });
  }
}

/** A command in a network namespace. What enters it becomes the program, and so keeps its process id. */
function inNetwork(path: string, { program, args }: { program: string; args: readonly string[] }) {
  return { program: "nsenter", args: [`--net=${path}`, "--", program, ...args] };
}

/**
 * Locks the VM's lock by the description that QEMU has inherited: it stays locked until QEMU has ended, which anybody
 * can wait for without being its parent.
 */
async function lockForHeir(fd: number): Promise<void> {
  try {
    await lockDescriptor(fd, { mode: "exclusive", wait: false });
  } finally {
    closeSync(fd);
  }
}

function spawnQemu(program: string, args: readonly string[], options: SpawnOptions): Promise<ChildProcess> {
  const child = spawn(program, args, options);
  return new Promise((resolve, reject) => {
    child.once("spawn", () => resolve(child));
    child.once("error", (error) => {
      const missing = ["ENOENT", "EACCES", "ENOEXEC"].includes(systemCode(error) ?? "");
      const text = `QEMU (${program}) cannot be started: ${error.message}`;
      reject(new HuskError(missing ? "ERR_QEMU_MISSING" : "ERR_QEMU_START", text, { cause: error }));
    });
  });
}

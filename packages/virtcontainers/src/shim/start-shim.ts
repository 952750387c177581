import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { HuskError, messageOf } from "../errors/index.ts";
import { openLockFile } from "../store/flock.ts";
import { handSocketDown } from "../store/hand-down-socket.ts";
import type { PodDirectory } from "../store/pod-directory.ts";
import { identifyProcess, type ProcessIdentity, podEnvironment } from "../store/process-identity.ts";
import type { ShimLogConfig } from "../types/index.ts";

/** Descriptor in the shim of the socket that it is attached to by. */
const ATTACH_FD = 3;
/** Bounds of a log whose configuration has none. */
const LOG_BYTES = 10 * 1024 * 1024;
const LOG_FILES = 3;
/** flock(1) becomes the shim, which then holds the lock until it has ended, so that anybody can wait for that. */
const HOLDING_LOCK = ["--no-fork", "--shared", "--nonblock"];

/** What the shim of a process has for input and output. */
export type ShimStdio =
  /** those of this process; with a terminal of the caller's, in the caller's session */
  | { readonly kind: "inherited"; readonly ownSession: boolean }
  /** pipes to this process */
  | { readonly kind: "piped"; readonly terminal: boolean }
  /** none, and a log of its own for the output */
  | {
      readonly kind: "logged";
      readonly path: string;
      readonly config: ShimLogConfig;
      /** whether its input stays open for who attaches */
      readonly interactive: boolean;
    }
  /** a terminal of the host */
  | { readonly kind: "console"; readonly path: string }
  | { readonly kind: "none" };

/** A shim to start. */
export interface ShimStart {
  /** program and arguments of its kind */
  readonly command: readonly string[];
  readonly directory: PodDirectory;
  /** the pod's */
  readonly uuid: string;
  readonly stdio: ShimStdio;
  /** socket by which it is attached to and told signals and sizes */
  readonly attachSocket: string;
  /** file in which it writes how its process ended */
  readonly exitFile: string;
  /** what it starts when that has ended */
  readonly exitCommand?: readonly string[] | undefined;
}

/** A shim that runs. */
export interface StartedShim {
  readonly child: ChildProcess;
  readonly identity: ProcessIdentity;
  /** whether it writes a log: then another can go on when it has died */
  readonly logs: boolean;
}

/**
 * Starts a shim. One that has nothing of ours is in a session of its own, and survives its caller.
 * @throws HuskError ERR_SHIM_START, ERR_STORE
 */
export async function startShim(start: ShimStart): Promise<StartedShim> {
  const { directory, command } = start;
  mkdirSync(dirname(start.exitFile), { recursive: true, mode: 0o700 });
  closeSync(openLockFile(directory.file("shimLock")));
  const log = openSync(directory.file("shimLog"), "a", 0o600);
  try {
    const words = [...command, ...sharedOptions(start)];
    const child = await handSocketDown(start.attachSocket, (listening) =>
      spawn("flock", [...HOLDING_LOCK, directory.file("shimLock"), ...words], {
        stdio: stdioOf(start.stdio, log, listening),
        env: { ...process.env, ...podEnvironment(start.uuid) },
        // A terminal of the caller's is lost in a session of one's own; for a console, the shim makes a session itself.
        detached: hasOwnSession(start.stdio),
        cwd: "/",
      }),
    );
    if (child.pid === undefined) await once(child, "spawn");
    const identity = identifyProcess(child.pid ?? 0);
    if (!identity) throw new Error("it ended at once");
    child.unref();
    return { child, identity, logs: start.stdio.kind === "logged" };
  } catch (error) {
    if (error instanceof HuskError) throw error;
    const text = `the shim ${command[0]} cannot be started: ${messageOf(error)}`;
    throw new HuskError("ERR_SHIM_START", text, { cause: error });
  } finally {
    closeSync(log);
  }
}

function hasOwnSession(stdio: ShimStdio): boolean {
  return stdio.kind === "inherited" ? stdio.ownSession : stdio.kind !== "console";
}

/** Options that all kinds have. */
function sharedOptions({ directory, stdio, exitFile, exitCommand }: ShimStart): string[] {
  return [
    "-proxy-command",
    directory.file("proxyCommand"),
    "-attach-fd",
    String(ATTACH_FD),
    "-exit-file",
    exitFile,
    // It is not of the pod: whoever ends the pod's processes must not end it.
    ...(exitCommand
      ? ["-exit-command", JSON.stringify(["/usr/bin/env", "-u", "HUSK_POD", ...exitCommand])]
      : []),
    ...(stdio.kind === "logged" ? logOptions(stdio) : []),
    ...(stdio.kind === "console" ? ["-console", stdio.path] : []),
  ];
}

function logOptions({ path, config, interactive }: Extract<ShimStdio, { kind: "logged" }>): string[] {
  return [
    "-log-file",
    path,
    "-log-max-bytes",
    String(config.maxBytes ?? LOG_BYTES),
    "-log-max-files",
    String(config.maxFiles ?? LOG_FILES),
    ...(interactive ? ["-interactive"] : []),
  ];
}

function stdioOf(stdio: ShimStdio, log: number, listening: number): StdioOptions {
  switch (stdio.kind) {
    case "inherited":
      return ["inherit", "inherit", "inherit", listening];
    case "piped":
      // With a terminal all output is one; what the shim itself complains of is for its log.
      return ["pipe", "pipe", stdio.terminal ? log : "pipe", listening];
    case "none":
      return ["ignore", "ignore", log, listening];
    case "logged":
    case "console":
      return ["ignore", log, log, listening];
  }
}

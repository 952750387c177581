import { readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { systemCode } from "../errors/index.ts";
import { createShim } from "../shim/index.ts";
import type { ShimStart, ShimStdio } from "../shim/start-shim.ts";
import type { PodDirectory } from "../store/pod-directory.ts";
import type { PodRecord } from "../store/pod-record.ts";
import { identifyProcess, isProcessAlive, type ProcessIdentity } from "../store/process-identity.ts";
import type { Cmd, ShimLogConfig } from "../types/index.ts";

/** The process that a shim is to stand for. */
export interface ShimmedProcess {
  readonly containerId: string;
  readonly cmd: Cmd;
  /** whether it is the first of its container */
  readonly isFirst: boolean;
  /** whether this process reads its output and writes its input */
  readonly attached: boolean;
  /** whether its shim has a session of its own also when it has this process's streams */
  readonly ownSession?: boolean;
}

/** How the shim of a process is started. */
export function describeShim(
  { record: { config, uuid }, directory }: { record: PodRecord; directory: PodDirectory },
  shimmed: ShimmedProcess,
  token: string,
): ShimStart {
  const { containerId, cmd, isFirst } = shimmed;
  const terminal = cmd.interactive === true;
  const proxySocket = directory.socket("proxy");
  const command = createShim(config).command({ containerId, token, terminal, proxySocket });
  if (!command) throw new Error(`${config.shimType} is no program`);
  const stdio = chooseStdio(shimmed, directory, config.shimConfig?.log);
  return {
    command,
    directory,
    uuid,
    stdio,
    attachSocket: isFirst
      ? directory.attachSocket(containerId)
      : directory.execAttachSocket(containerId, token),
    exitFile: isFirst
      ? directory.containerFile(containerId, "exit")
      : directory.execExitFile(containerId, token, identifyProcess(process.pid) as ProcessIdentity),
    exitCommand: stdio.kind === "logged" ? config.shimConfig?.exitCommand : undefined,
  };
}

function chooseStdio(
  { containerId, cmd, isFirst, attached, ownSession = false }: ShimmedProcess,
  directory: PodDirectory,
  config: ShimLogConfig = {},
): ShimStdio {
  const terminal = cmd.interactive === true;
  if (attached) return { kind: "piped", terminal };
  if (cmd.console) return { kind: "console", path: cmd.console };
  if (!cmd.detach) return { kind: "inherited", ownSession };
  if (!isFirst) return { kind: "none" };
  const path = directory.containerFile(containerId, "log");
  return { kind: "logged", path, config, interactive: terminal || cmd.openStdin === true };
}

/** Removes what the shim of an earlier run of a container has left: its log is of the last run. */
export function clearRun(directory: PodDirectory, containerId: string): void {
  rmSync(directory.containerFile(containerId, "exit"), { force: true });
  const log = directory.containerFile(containerId, "log");
  for (const name of namesIn(dirname(log))) {
    if (name.startsWith(basename(log))) rmSync(join(dirname(log), name), { force: true });
  }
}

/** Removes what shims of processes beside a container's first have left to callers that have ended: nobody asks for it. */
export function clearLeftExits(directory: PodDirectory, containerId: string): void {
  const folder = dirname(directory.containerFile(containerId, "exit"));
  for (const name of namesIn(folder)) {
    const left = directory.readExecExitName(name);
    if (!left || isProcessAlive(left.caller)) continue;
    for (const path of [left.attachSocket, join(folder, name)]) rmSync(path, { force: true });
  }
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  }
}

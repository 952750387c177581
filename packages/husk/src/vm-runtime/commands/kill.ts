import { constants } from "node:os";
import {
  type CallOptions,
  type ErrorCode,
  HuskError,
  isHuskError,
  killContainer,
  signalProcess,
  statusContainer,
  stopPod,
} from "@husk/virtcontainers";
import type { Command } from "commander";
import { readPidFile } from "../pid-file.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import { tokenOfShim } from "../shim-token.ts";

const { SIGKILL } = constants.signals;
const SILENCES: readonly ErrorCode[] = ["ERR_TIMEOUT", "ERR_AGENT_DISCONNECTED", "ERR_AGENT_PROTOCOL"];

interface KillOptions {
  all?: boolean;
  pidFile?: string;
}

/** Adds `kill`. */
export function addKillCommand(program: Command, context: () => RuntimeContext): void {
  program
    .command("kill")
    .description(
      "Sends a signal to the process of a container. For one that has ended, there is nothing to do.",
    )
    .argument("<id>", "of the container")
    .argument("[signal]", "number, or name with or without SIG", "SIGTERM")
    .option("-a, --all", "to all of its processes")
    .option("--pid-file <FILE>", "to the process of an exec, whose pid file this is")
    .action((id: string, signal: string, options: KillOptions) =>
      kill(id, readSignal(signal), options, context()),
    );
}

/** @throws HuskError ERR_CONFIG_INVALID */
export function readSignal(word: string): number {
  if (/^\d{1,2}$/.test(word)) return Number(word);
  const name = word.toUpperCase();
  const number = constants.signals[(name.startsWith("SIG") ? name : `SIG${name}`) as NodeJS.Signals];
  if (number !== undefined) return number;
  throw new HuskError("ERR_CONFIG_INVALID", `${JSON.stringify(word.slice(0, 80))} is no signal`);
}

async function kill(id: string, signal: number, { all, pidFile }: KillOptions, { options }: RuntimeContext) {
  if (await hasEnded(id, options)) return;
  try {
    if (pidFile !== undefined) await signalExec(id, pidFile, signal, options);
    else await killContainer(id, id, signal, all === true, options);
  } catch (error) {
    // It may have ended meanwhile.
    if (isHuskError(error, "ERR_VM_LOST") || (await hasEnded(id, options))) return;
    if (signal !== SIGKILL || pidFile !== undefined || !isSilence(error)) throw error;
    await stopPod(id, options);
  }
}

async function hasEnded(id: string, options: CallOptions): Promise<boolean> {
  return (await statusContainer(id, id, options)).state === "stopped";
}

async function signalExec(id: string, pidFile: string, signal: number, options: CallOptions): Promise<void> {
  const token = tokenOfShim(readPidFile(pidFile), id);
  if (token !== undefined) await signalProcess(id, id, token, signal, options);
}

/** Whether a guest does not answer: that cannot keep its container from being killed. */
function isSilence(error: unknown): boolean {
  return isHuskError(error) && SILENCES.includes(error.code);
}

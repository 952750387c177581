import { constants } from "node:os";
import {
  type CallOptions,
  type ErrorCode,
  HuskError,
  isHuskError,
  killContainer,
  signalProcess,
  statusPod,
} from "@husk/virtcontainers";
import { deadlineFactor } from "@husk/virtcontainers/internals";
import type { Command } from "commander";
import { readPidFile } from "../pid-file.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import { tokenOfShim } from "../shim-token.ts";

const { SIGKILL } = constants.signals;
/** Milliseconds for a guest to kill, on a machine that runs VMs quickly; what cannot be asked for a signal is ended with its VM. */
const KILL_MS = 2_500;
const SILENCES: readonly ErrorCode[] = [
  "ERR_ABORTED",
  "ERR_TIMEOUT",
  "ERR_AGENT_DISCONNECTED",
  "ERR_AGENT_PROTOCOL",
];

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
function readSignal(word: string): number {
  if (/^\d{1,2}$/.test(word)) return Number(word);
  const name = word.toUpperCase();
  const number = constants.signals[(name.startsWith("SIG") ? name : `SIG${name}`) as NodeJS.Signals];
  if (number !== undefined) return number;
  throw new HuskError("ERR_CONFIG_INVALID", `${JSON.stringify(word.slice(0, 80))} is no signal`);
}

async function kill(id: string, signal: number, { all, pidFile }: KillOptions, { options }: RuntimeContext) {
  const limited =
    signal === SIGKILL
      ? { ...options, signal: AbortSignal.timeout(KILL_MS * deadlineFactor("tcg")) }
      : options;
  try {
    if (pidFile !== undefined) await signalExec(id, pidFile, signal, limited);
    else await killContainer(id, id, signal, all === true, limited);
  } catch (error) {
    if (isHuskError(error, "ERR_VM_LOST")) return;
    const { containersStatus, hypervisorPid } = await statusPod(id, options);
    if (containersStatus[0]?.state === "stopped") return;
    if (!isSilence(error) || signal !== SIGKILL || pidFile !== undefined || hypervisorPid === undefined)
      throw error;
    // Its shim, and who deletes it, see to the rest.
    process.kill(hypervisorPid, SIGKILL);
  }
}

async function signalExec(id: string, pidFile: string, signal: number, options: CallOptions): Promise<void> {
  const token = tokenOfShim(readPidFile(pidFile), id);
  if (token !== undefined) await signalProcess(id, id, token, signal, options);
}

/** Whether a guest does not answer: that cannot keep its container from being killed. */
function isSilence(error: unknown): boolean {
  return isHuskError(error) && SILENCES.includes(error.code);
}

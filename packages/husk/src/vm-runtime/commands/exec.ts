import { readlinkSync } from "node:fs";
import { constants } from "node:os";
import { isatty } from "node:tty";
import {
  type Cmd,
  type EnteredProcess,
  enterContainer,
  HuskError,
  type OciProcess,
} from "@husk/virtcontainers";
import type { Command } from "commander";
import { SignalTrap } from "../../terminal/signals.ts";
import { readProcess } from "../bundle.ts";
import { writePidFile } from "../pid-file.ts";
import type { RuntimeContext } from "../runtime-context.ts";

const STDIN = 0;

interface ExecOptions {
  process: string;
  pidFile?: string;
  detach?: boolean;
}

/** Adds `exec`. */
export function addExecCommand(program: Command, context: () => RuntimeContext): void {
  program
    .command("exec")
    .description("Runs one more process in a container that runs; its exit status is that of the process.")
    .argument("<id>", "of the container")
    .requiredOption("-p, --process <FILE>", "the process, as in config.json")
    .option("--pid-file <FILE>", "write there the process id of what stands for the process on the host")
    .option("-d, --detach", "end when the process has begun")
    .action((id: string, options: ExecOptions) => exec(id, options, context()));
}

/** The process has our stdin, stdout and stderr. */
async function exec(
  id: string,
  { process: file, pidFile, detach = false }: ExecOptions,
  context: RuntimeContext,
) {
  const ociProcess = readProcess(file);
  using trap = new SignalTrap();
  const { process } = await enterContainer(
    id,
    id,
    { args: ociProcess.args, ...terminalOf(ociProcess, detach) },
    {
      ...context.options,
      signal: trap.signal,
      ociProcess,
      ownSession: detach || ociProcess.terminal !== true,
    },
  );
  if (pidFile !== undefined) await noteProcess(process, pidFile);
  if (detach) return;
  trap.forwardTo((signal) => process.io.signal(signal));
  const { exitCode } = await process.io.wait();
  context.exitWith(exitCode);
}

/**
 * With a terminal: ours becomes that of what stands for the process, to keep when we have ended, or to share until then.
 * @throws HuskError ERR_CONFIG_INVALID when stdin is none
 */
function terminalOf({ terminal = false }: OciProcess, detach: boolean): Pick<Cmd, "interactive" | "console"> {
  if (!terminal) return {};
  if (!isatty(STDIN))
    throw new HuskError("ERR_CONFIG_INVALID", "process.terminal: a terminal is wanted, and stdin is none");
  return { interactive: true, ...(detach ? { console: readlinkSync(`/proc/self/fd/${STDIN}`) } : {}) };
}

/** A process that nobody can find is not to go on. */
async function noteProcess({ pid, io }: EnteredProcess, pidFile: string): Promise<void> {
  try {
    writePidFile(pidFile, pid);
  } catch (error) {
    await io.signal(constants.signals.SIGKILL).catch(() => {});
    throw error;
  }
}

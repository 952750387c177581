import {
  deletePod,
  isHuskError,
  type ProcessIo,
  type RunOptions as RunPodOptions,
  stopPod,
  type VCPod,
} from "@husk/virtcontainers";
import type { DetachOptions } from "./options/detach-options.ts";
import { makeFactory, makePodConfig, type PodOptions } from "./options/pod-options.ts";
import { makeCmd, type ProcessOptions } from "./options/process-options.ts";
import { tellWarning } from "./output/error-report.ts";
import { type PhaseLog, printTimings, type TimingsOptions } from "./output/phase-log.ts";
import { runNamedPod } from "./run-named-pod.ts";
import { checkTerminal, ProcessConnection } from "./terminal/connect-process.ts";
import { SignalTrap, statusOfSignal } from "./terminal/signals.ts";

/** What `run` can be told. */
export interface RunOptions extends ProcessOptions, PodOptions, DetachOptions, TimingsOptions {
  /** name of the pod */
  name?: string;
}

/**
 * Boots a VM, runs a command in it, ties husk's own streams to it, and ends the VM.
 *
 * @returns the exit status of the command, or of husk when a signal ended husk's own work
 * @throws HuskError, UsageError, GuestImageMissingError
 */
export async function runContainer(
  args: readonly string[],
  options: RunOptions,
  log: PhaseLog,
): Promise<number> {
  checkTerminal(options.tty);
  const cmd = makeCmd(args, options, process.env);
  using trap = new SignalTrap();
  const makeConfig = (id: string) => makePodConfig(id, cmd, options, process.env);
  try {
    await using run = new Run(options, trap, log);
    const id = await runNamedPod(options.name, makeConfig, run.options);
    const status = await run.finish(id);
    printTimings(options, log);
    return status;
  } catch (error) {
    if (trap.caught !== undefined && isHuskError(error, "ERR_ABORTED")) return statusOfSignal(trap.caught);
    throw error;
  }
}

/**
 * One run: the connection to the command's streams, made before the command can say anything, and the
 * clean-up.
 */
class Run implements AsyncDisposable {
  readonly #options: RunOptions;
  readonly #trap: SignalTrap;
  readonly #log: PhaseLog;
  #connected: { io: ProcessIo; connection: ProcessConnection } | undefined;
  /** the pod, while it is there to be cleaned up */
  #id: string | undefined;

  constructor(options: RunOptions, trap: SignalTrap, log: PhaseLog) {
    this.#options = options;
    this.#trap = trap;
    this.#log = log;
  }

  get options(): RunPodOptions {
    return {
      ...makeFactory(this.#options),
      onWarning: tellWarning,
      signal: this.#trap.signal,
      onPhase: ({ name }) => this.#log.record(name),
      onCreated: (pod) => this.#connect(pod),
    };
  }

  #connect(pod: VCPod): void {
    const io = pod.getContainer(pod.id())?.attach();
    if (!io) throw new Error(`pod ${pod.id()} has no container of its name`);
    const { interactive = false, tty = false } = this.#options;
    this.#connected = { io, connection: new ProcessConnection(io, { interactive, tty }) };
  }

  /** Waits for the command's end and cleans up. */
  async finish(id: string): Promise<number> {
    this.#id = id;
    if (!this.#connected) throw new Error(`nobody listens to pod ${id}`);
    const { io, connection } = this.#connected;
    this.#trap.forwardTo((signal) => io.signal(signal));
    connection.started();
    const status = await connection.ended();
    this.#log.record("command-ended");
    connection[Symbol.dispose]();
    await ignoreGone(this.#cleanUp());
    return status;
  }

  async #cleanUp(): Promise<void> {
    const id = this.#id;
    if (id === undefined) return;
    this.#id = undefined;
    this.#trap.ignore();
    const { onPhase } = this.options;
    await (this.#options.rm ? deletePod(id, { onPhase }) : stopPod(id, { onPhase }));
  }

  /**
   * What is left after an error. The first error says what went wrong; one of the clean-up would only hide
   * it.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#connected?.connection[Symbol.dispose]();
    await this.#cleanUp().catch(() => {});
  }
}

/** Somebody else (`husk stop`, `husk rm -f`) may have been quicker: then there is nothing left to do. */
async function ignoreGone(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!isHuskError(error, "ERR_POD_NOT_FOUND") && !isHuskError(error, "ERR_STATE_INVALID")) throw error;
  }
}

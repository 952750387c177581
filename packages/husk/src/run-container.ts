import {
  createPod,
  deletePod,
  isHuskError,
  type PodConfig,
  startPod,
  stopPod,
  type VCPod,
} from "@husk/virtcontainers";
import { makePodConfig, type PodOptions } from "./options/pod-options.ts";
import { makeCmd, type ProcessOptions } from "./options/process-options.ts";
import { type PhaseLog, renderPhases, renderPhasesJson } from "./output/phase-log.ts";
import { makePodName } from "./pod-name.ts";
import { checkTerminal, ProcessConnection } from "./terminal/connect-process.ts";
import { SignalTrap, statusOfSignal } from "./terminal/signals.ts";

/** What `run` can be told. */
export interface RunOptions extends ProcessOptions, PodOptions {
  /** name of the pod */
  name?: string;
  /** delete the pod at the end */
  rm?: boolean;
  /** print where the time went */
  timings?: boolean;
  /** print where the time went as JSON */
  "timings=json"?: boolean;
}

/** how many made-up names are tried before husk gives up */
const NAME_ATTEMPTS = 5;

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
    const pod = await createNamedPod(options.name, makeConfig, trap.signal, log);
    const status = await runInPod(pod, options, trap, log);
    printTimings(options, log);
    return status;
  } catch (error) {
    if (trap.caught !== undefined && isHuskError(error, "ERR_ABORTED")) return statusOfSignal(trap.caught);
    throw error;
  }
}

/** Creates the pod; a made-up name that is taken by chance is replaced by another. */
async function createNamedPod(
  name: string | undefined,
  makeConfig: (id: string) => PodConfig,
  signal: AbortSignal,
  log: PhaseLog,
): Promise<VCPod> {
  for (let attempt = 1; ; attempt++) {
    try {
      const config = makeConfig(name ?? makePodName());
      return await createPod(config, { signal, onPhase: ({ name }) => log.record(name) });
    } catch (error) {
      const again = name === undefined && isHuskError(error, "ERR_POD_EXISTS") && attempt < NAME_ATTEMPTS;
      if (!again) throw error;
    }
  }
}

async function runInPod(pod: VCPod, options: RunOptions, trap: SignalTrap, log: PhaseLog): Promise<number> {
  const id = pod.id();
  const onPhase = ({ name }: { name: string }) => log.record(name);
  let started = false;
  let cleaned = false;
  const cleanUp = () => {
    cleaned = true;
    trap.ignore();
    // A pod whose command never ran is of no use to anybody, so it goes even when it was to be kept.
    return options.rm || !started ? deletePod(id, { onPhase }) : stopPod(id, { onPhase });
  };
  try {
    const container = pod.getContainer(id);
    if (container === undefined) throw new Error(`pod ${id} has no container ${id}`);
    const io = container.attach();
    const { interactive = false, tty = false } = options;
    using connection = new ProcessConnection(io, { interactive, tty });
    await startPod(id, { signal: trap.signal, onPhase });
    started = true;
    trap.forwardTo((signal) => io.signal(signal));
    connection.started();
    const status = await connection.ended();
    log.record("command-ended");
    connection[Symbol.dispose]();
    await ignoreGone(cleanUp());
    return status;
  } catch (error) {
    // The first error says what went wrong; one of the clean-up after it would only hide it.
    if (!cleaned) await cleanUp().catch(() => {});
    throw error;
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

function printTimings(options: RunOptions, log: PhaseLog): void {
  if (options["timings=json"]) process.stderr.write(renderPhasesJson(log.phases()));
  else if (options.timings) process.stderr.write(renderPhases(log.phases()));
}

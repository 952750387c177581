import { isHuskError } from "@husk/virtcontainers";
import { makeDetachedCmd, makeResidents } from "./options/detach-options.ts";
import { makeFactory, makePodConfig } from "./options/pod-options.ts";
import { makeCmd } from "./options/process-options.ts";
import { tellWarning } from "./output/error-report.ts";
import { type PhaseLog, printTimings } from "./output/phase-log.ts";
import type { RunOptions } from "./run-container.ts";
import { runNamedPod } from "./run-named-pod.ts";
import { SignalTrap, statusOfSignal } from "./terminal/signals.ts";

/**
 * Boots a VM, starts a command in it that writes its output into a log, and prints the pod's name.
 *
 * @returns 0, or the exit status of husk when a signal ended its work
 * @throws HuskError, UsageError, GuestImageMissingError
 */
export async function runDetached(
  args: readonly string[],
  options: RunOptions,
  log: PhaseLog,
): Promise<number> {
  const cmd = { ...makeCmd(args, options, process.env), ...makeDetachedCmd(options) };
  using trap = new SignalTrap();
  try {
    const id = await runNamedPod(
      options.name,
      (id) => ({ ...makePodConfig(id, cmd, options, process.env), ...makeResidents(id, options) }),
      {
        ...makeFactory(options),
        onWarning: tellWarning,
        signal: trap.signal,
        onPhase: ({ name }) => log.record(name),
      },
    );
    process.stdout.write(`${id}\n`);
    printTimings(options, log);
    return 0;
  } catch (error) {
    if (trap.caught !== undefined && isHuskError(error, "ERR_ABORTED")) return statusOfSignal(trap.caught);
    throw error;
  }
}

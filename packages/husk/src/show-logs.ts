import { isHuskError, readLog } from "@husk/virtcontainers";
import { splitName } from "./exec-in-container.ts";
import { type LogsOptions, makeLogOptions } from "./options/log-options.ts";
import { tellWarning } from "./output/error-report.ts";
import { LogPrinter } from "./output/log-printer.ts";
import { SignalTrap, statusOfSignal } from "./terminal/signals.ts";

/**
 * Prints the log of a detached container.
 *
 * @returns exit status
 * @throws HuskError
 */
export async function showLogs(name: string, options: LogsOptions): Promise<number> {
  const { podId, containerId } = splitName(name);
  const { timestamps = false, json = false } = options;
  const printer = new LogPrinter({ timestamps, json });
  using trap = new SignalTrap();
  try {
    const reading = { ...makeLogOptions(options), signal: trap.signal, onWarning: tellWarning };
    for await (const entry of readLog(podId, containerId, reading)) {
      if (trap.signal.aborted) break;
      await printer.print(entry);
    }
    await printer.flush();
  } catch (error) {
    if (trap.caught === undefined || !isHuskError(error, "ERR_ABORTED")) throw error;
  }
  return trap.caught === undefined ? 0 : statusOfSignal(trap.caught);
}

import { enterContainer, isHuskError } from "@husk/virtcontainers";
import { makeCmd, type ProcessOptions } from "./options/process-options.ts";
import { checkTerminal, ProcessConnection } from "./terminal/connect-process.ts";
import { SignalTrap, statusOfSignal } from "./terminal/signals.ts";
import { UsageError } from "./usage-error.ts";

/** What `exec` can be told. */
export interface ExecOptions extends ProcessOptions {
  /** do not wait for the command */
  detach?: boolean;
}

/**
 * Runs a command in a running container, husk's own streams tied to it.
 *
 * @param name the pod, whose container has the same id; or `POD/CONTAINER`
 * @returns the exit status of the command, or of husk when a signal ended husk's own work
 * @throws HuskError, UsageError
 */
export async function execInContainer(
  name: string,
  args: readonly string[],
  options: ExecOptions,
): Promise<number> {
  if (options.detach) return execDetached(name, args, options);
  checkTerminal(options.tty);
  const cmd = makeCmd(args, options, process.env);
  const { podId, containerId } = splitName(name);
  using trap = new SignalTrap();
  try {
    const { process: entered } = await enterContainer(podId, containerId, cmd, {
      attach: true,
      signal: trap.signal,
    });
    const { interactive = false, tty = false } = options;
    using connection = new ProcessConnection(entered.io, { interactive, tty });
    trap.forwardTo((signal) => entered.io.signal(signal));
    connection.started();
    return await connection.ended();
  } catch (error) {
    if (trap.caught !== undefined && isHuskError(error, "ERR_ABORTED")) return statusOfSignal(trap.caught);
    throw error;
  }
}

/** Nobody stays beside the command. */
async function execDetached(name: string, args: readonly string[], options: ExecOptions): Promise<number> {
  if (options.interactive)
    throw new UsageError("-i with -d: nobody is there to pass stdin", "leave one of them out");
  const cmd = { ...makeCmd(args, options, process.env), detach: true };
  const { podId, containerId } = splitName(name);
  using trap = new SignalTrap();
  try {
    await enterContainer(podId, containerId, cmd, { signal: trap.signal });
    return 0;
  } catch (error) {
    if (trap.caught !== undefined && isHuskError(error, "ERR_ABORTED")) return statusOfSignal(trap.caught);
    throw error;
  }
}

/** Ids have no slash, so `POD/CONTAINER` cannot be mistaken for a pod. */
export function splitName(name: string): { podId: string; containerId: string } {
  const slash = name.indexOf("/");
  if (slash < 0) return { podId: name, containerId: name };
  return { podId: name.slice(0, slash), containerId: name.slice(slash + 1) };
}

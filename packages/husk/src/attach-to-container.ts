import { type AttachedContainer, attachContainer, isHuskError } from "@husk/virtcontainers";
import { splitName } from "./exec-in-container.ts";
import { ProcessConnection } from "./terminal/connect-process.ts";
import { SignalTrap, statusOfSignal } from "./terminal/signals.ts";

/** What `attach` can be told. */
export interface AttachOptions {
  /** pass stdin on; default: yes */
  stdin?: boolean;
  /** pass signals on; default: yes, unless the command has a terminal */
  sigProxy?: boolean;
}

/**
 * Ties husk's own streams to those of a detached container's command until it ends, or husk lets go of it.
 *
 * @returns the exit status of the command; 0 after the keys for letting go
 * @throws HuskError
 */
export async function attachToContainer(name: string, options: AttachOptions): Promise<number> {
  const { podId, containerId } = splitName(name);
  using trap = new SignalTrap();
  try {
    using attached = await attachContainer(podId, containerId, { signal: trap.signal });
    return await stayAttached(attached, options, trap);
  } catch (error) {
    if (trap.caught !== undefined && isHuskError(error, "ERR_ABORTED")) return statusOfSignal(trap.caught);
    throw error;
  }
}

async function stayAttached(
  attached: AttachedContainer,
  options: AttachOptions,
  trap: SignalTrap,
): Promise<number> {
  let status: number | undefined;
  const letGo = (reason: "broken-pipe" | "keys") => {
    status = reason === "keys" ? 0 : statusOfSignal("SIGPIPE");
    attached.detach();
  };
  const interactive = options.stdin !== false && attached.interactive;
  // Raw mode is for those who type.
  const tty = attached.terminal && interactive && process.stdin.isTTY === true;
  // A terminal that is closed must not end what was to go on without one.
  if (options.sigProxy !== false && !attached.terminal) trap.forwardTo((signal) => attached.signal(signal));
  else trap.signal.addEventListener("abort", () => attached.detach(), { once: true });
  using connection = new ProcessConnection(attached, { interactive, tty, letGo });
  connection.started();
  try {
    return await connection.ended();
  } catch (error) {
    if (status === undefined) throw error;
    connection[Symbol.dispose]();
    if (status === 0) process.stderr.write("\ndetached\n");
    return status;
  }
}

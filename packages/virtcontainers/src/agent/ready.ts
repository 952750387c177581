import { withDeadline } from "../deadline.ts";
import { HuskError, isHuskError } from "../errors/index.ts";
import { withLogTail } from "../hypervisor/log-tail.ts";
import type { OpenOptions } from "./types.ts";

/**
 * Waits for the sign that the agent of a new VM is ready.
 * @param what the sign
 * @throws HuskError ERR_BOOT_TIMEOUT, ERR_ABORTED, and what `describeLoss` tells when the VM ends meanwhile
 */
export async function waitReady(
  sign: Promise<unknown>,
  limits: { what: string; ms: number },
  options: OpenOptions,
): Promise<void> {
  const log = options.directory.file("console");
  const onTimeout = () => {
    const text = `the guest's agent was not ready within ${Math.round(limits.ms)} ms`;
    return new HuskError("ERR_BOOT_TIMEOUT", withLogTail(text, "the console ends with", log));
  };
  try {
    await withDeadline(sign, { ...limits, signal: options.signal, onTimeout });
    options.mark?.("agent-ready");
  } catch (error) {
    if (isHuskError(error, "ERR_AGENT_DISCONNECTED")) throw await options.describeLoss(false);
    throw error;
  }
}

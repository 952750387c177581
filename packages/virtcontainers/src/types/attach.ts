import type { ProcessIo } from "./handles.ts";

/**
 * A container that runs, attached to: its output from now on, and its input. Others may be attached, too. A reader that is too slow
 * is sent away before it holds the container up: then `wait` fails. Ours alone.
 */
export interface AttachedContainer extends ProcessIo, Disposable {
  /** whether the process has a terminal */
  readonly terminal: boolean;
  /** whether the process has open input; if not, what is written to `stdin` goes nowhere */
  readonly interactive: boolean;
  /** Lets go of the container, which goes on: `wait` fails with ERR_ABORTED. */
  detach(): void;
}

import { resolve } from "node:path";
import { checkCallOptions } from "../config/call-options.ts";
import { throwIfAborted } from "../deadline.ts";
import { cacheDirectory, stateDirectory } from "../store/directories.ts";
import { Timings } from "../timings.ts";
import type { CallOptions } from "../types/index.ts";

/** What one call of the API goes by. */
export class Call {
  readonly root: string;
  readonly cache: string;
  readonly signal: AbortSignal | undefined;
  readonly timings: Timings;
  /** is told what went wrong without failing the call */
  readonly warn: (warning: unknown) => void;
  /** notes that a phase has just been done */
  readonly mark: (phase: string) => void;

  /** @throws HuskError ERR_CONFIG_UNKNOWN_FIELD, ERR_ABORTED, ERR_STORE */
  constructor(options: CallOptions, moreOptions: readonly string[] = []) {
    checkCallOptions(options, moreOptions);
    throwIfAborted(options.signal);
    this.root = resolve(options.root ?? stateDirectory());
    this.cache = resolve(options.cache ?? cacheDirectory());
    this.signal = options.signal;
    this.warn = (warning) => tellWarning(warning, options.onWarning);
    this.timings = new Timings(options.onPhase);
    this.mark = (phase) => this.timings.mark(phase);
  }

  /** Another call in the same place, which nobody watches. */
  again(signal?: AbortSignal): Call {
    return new Call({ root: this.root, cache: this.cache, signal });
  }
}

function tellWarning(warning: unknown, onWarning: CallOptions["onWarning"]): void {
  const error = warning instanceof Error ? warning : new Error(String(warning));
  if (onWarning) onWarning(error);
  else process.emitWarning(error);
}

import type { CallOptions } from "@husk/virtcontainers";
import type { RuntimeLog } from "./runtime-log.ts";

/** What a command of the runtime goes by. */
export interface RuntimeContext {
  /** options of the library's calls: state directory, where warnings go */
  readonly options: CallOptions & { root: string };
  readonly log: RuntimeLog;
  /** Sets the runtime's exit status. */
  exitWith(status: number): void;
}

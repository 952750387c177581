import { type GroupEnd, runGroupProcess } from "../../group-process.ts";

/** Most that is taken of what a plugin prints, in bytes. */
const MAX_STDOUT_BYTES = 1024 * 1024;

/** How a plugin is run. */
export interface PluginRun {
  /** path of the program */
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
  /** what it reads on its standard input */
  readonly input: string;
  /** milliseconds that it may take */
  readonly limitMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs a plugin and waits for its end. It is killed as well when this process dies, so that nothing makes links behind the
 * back of who cleans up.
 * @throws HuskError ERR_ABORTED
 */
export function runPluginProcess({ program, ...run }: PluginRun): Promise<GroupEnd> {
  const args = ["--pdeathsig", "KILL", "--", program];
  return runGroupProcess({ program: "setpriv", args, maxOutputBytes: MAX_STDOUT_BYTES, ...run });
}

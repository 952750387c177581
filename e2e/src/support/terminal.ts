import { HUSK } from "./places.ts";
import type { RunningHusk, Workplace } from "./workplace.ts";

/**
 * Runs a shell script in a new terminal, that of util-linux's script(1). What is written to the result's
 * stdin is typed. The script finds husk in `$HUSK_COMMAND`, to be used without quotes.
 */
export function startInTerminal(place: Workplace, script: string): RunningHusk {
  const environment = { HUSK_COMMAND: `${process.execPath} ${HUSK}`, SHELL: "/bin/sh" };
  return place.startProgram("script", ["-qec", script, "/dev/null"], environment);
}

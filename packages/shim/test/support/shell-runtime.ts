/** A runtime that is a shell script: its containers are plain processes, and it fails when it is told to. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Commands } from "./container.ts";

/**
 * `create` makes a process that waits for a line on a FIFO, and runs `program` then; `exec` runs `exec-program`. The file `fail-CMD` makes a command fail,
 * `hang-CMD` hang. `calls` has a line for each command.
 */
const SCRIPT = `#!/bin/sh
cd "$1" || exit 9
command=$2
echo "$*" >>calls
exec 3<&0
if [ -e "hang-$command" ]; then exec sleep 1000; fi
if [ -e "fail-$command" ]; then
  echo '{"level":"info","msg":"about to fail"}' >>runtime.log
  echo '{"level":"error","msg":"'"$command cannot be done"'"}' >>runtime.log
  exit 1
fi
case $command in
create)
  rm -f go && mkfifo go
  setsid sh -c 'read line <go; exec sh ./program' &
  echo $! >pid ;;
start) echo >go ;;
kill) kill -"$3" "$(cat pid)" ;;
exec)
  setsid sh ./exec-program <&3 3<&- &
  echo $! >"$4" ;;
delete) [ ! -s pid ] || kill -9 "$(cat pid)" 2>/dev/null; rm -f pid go ;;
esac
exit 0
`;

/** Writes the script and the container's program into its folder. */
export async function writeShellRuntime(folder: string, program: string): Promise<void> {
  await writeFile(join(folder, "runtime"), SCRIPT, { mode: 0o755 });
  await writeFile(join(folder, "program"), program);
}

/** Its commands for a container in a folder. */
export function shellCommands(folder: string): Commands {
  const command = (name: string) => [join(folder, "runtime"), folder, name];
  return {
    create: command("create"),
    start: command("start"),
    kill: command("kill"),
    delete: command("delete"),
    exec: [...command("exec"), "{process}", "{pidFile}"],
    execTerminal: [...command("exec"), "{process}", "{pidFile}"],
  };
}

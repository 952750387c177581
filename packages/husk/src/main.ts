import { runCli } from "./cli.ts";
import { flush } from "./terminal/output-pump.ts";

/** exit status of a program whose output nobody reads any more: 128 + SIGPIPE */
const BROKEN_PIPE = 141;

// Writing to a closed pipe ends husk quietly, as it ends any program; while a container's command runs, its
// own connection sees to that (and this listener must not be quicker).
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (process.stdout.listenerCount("error") > 1) return;
  process.exit(error.code === "EPIPE" ? BROKEN_PIPE : 1);
});
process.stderr.on("error", () => {});

async function main(): Promise<never> {
  const status = await runCli(process.argv.slice(2));
  await Promise.all([flush(process.stdout), flush(process.stderr)]);
  // Nothing that is still open (a terminal, a pipe that stdin is) may keep husk alive.
  process.exit(status);
}

void main();

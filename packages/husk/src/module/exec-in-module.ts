import type { ExecProcess } from "@husk/container-module";
import type { ModulePlaceOptions } from "../options/module-options.ts";
import { flush, pumpOutput } from "../terminal/output-pump.ts";
import { callModule } from "./module-call.ts";

/** What `husk module exec` can be told. */
export interface ModuleExecOptions extends ModulePlaceOptions {
  /** pass stdin on */
  interactive?: boolean;
  env?: string[];
  workdir?: string;
  /** seconds after which the program is killed */
  timeout?: number;
}

/**
 * Runs a program in a container, husk's own streams tied to it.
 * @returns its exit status
 * @throws HuskError, UsageError
 */
export function execInModule(
  ns: string,
  id: string,
  args: readonly string[],
  options: ModuleExecOptions,
): Promise<number> {
  const { env, workdir, timeout, interactive = false, ...place } = options;
  return callModule(place, async (module, signal) => {
    const limits = timeout === undefined ? {} : { timeoutMs: timeout * 1000 };
    const own = { ...(env ? { env } : {}), ...(workdir === undefined ? {} : { cwd: workdir }) };
    using process = await module.exec(ns, id, args, { ...own, ...limits, signal });
    // Awaited here, because the program goes when this function ends.
    return await connect(process, interactive);
  });
}

async function connect(program: ExecProcess, interactive: boolean): Promise<number> {
  // It may end before all of its input is read; that is no error.
  program.stdin.on("error", () => process.stdin.unpipe());
  if (interactive) process.stdin.pipe(program.stdin);
  else program.stdin.end();
  // Nobody reads its output any more: it is killed.
  const hangUp = () => program[Symbol.dispose]();
  const [{ exitCode }] = await Promise.all([
    program.wait(),
    pumpOutput(program.stdout, process.stdout, hangUp),
    pumpOutput(program.stderr, process.stderr, hangUp),
  ]);
  await Promise.all([flush(process.stdout), flush(process.stderr)]);
  return exitCode;
}

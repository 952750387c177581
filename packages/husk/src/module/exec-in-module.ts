import type { ExecProcess } from "@husk/container-module";
import type { ProcessIo } from "@husk/virtcontainers";
import type { ModulePlaceOptions } from "../options/module-options.ts";
import { type ConnectOptions, checkTerminal, ProcessConnection } from "../terminal/connect-process.ts";
import { readWindowSize } from "../terminal/window-size.ts";
import { callModule } from "./module-call.ts";

/** Size of a terminal that does not know its own. */
const DEFAULT_SIZE = { rows: 24, columns: 80 };

/** What `husk module exec` can be told. */
export interface ModuleExecOptions extends ModulePlaceOptions {
  /** pass stdin on */
  interactive?: boolean;
  /** give the program a terminal */
  tty?: boolean;
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
  const { env = [], workdir, timeout, interactive = false, tty = false, ...place } = options;
  checkTerminal(tty);
  return callModule(place, async (module, signal) => {
    const limits = timeout === undefined ? {} : { timeoutMs: timeout * 1000 };
    const own = {
      env: tty ? [termVariable(), ...env] : env,
      ...(workdir === undefined ? {} : { cwd: workdir }),
    };
    const size = tty ? { terminal: readWindowSize([process.stdout, process.stderr]) ?? DEFAULT_SIZE } : {};
    using program = await module.exec(ns, id, args, { ...own, ...limits, ...size, signal });
    // Awaited here, because the program goes when this function ends.
    return await connect(program, { interactive, tty });
  });
}

async function connect(program: ExecProcess, options: ConnectOptions): Promise<number> {
  using connection = new ProcessConnection(asProcessIo(program, options), options);
  connection.started();
  return await connection.ended();
}

function asProcessIo(program: ExecProcess, { tty }: ConnectOptions): ProcessIo {
  const { stdin, stdout, stderr } = program;
  return {
    ...{ stdin, stdout, stderr: tty ? undefined : stderr },
    wait: () => program.wait(),
    // When nobody reads its output any more: it is killed.
    signal: async () => program[Symbol.dispose](),
    resize: async (rows, columns) => program.resize({ rows, columns }),
  };
}

/** What programs ask for how to write on a terminal. */
function termVariable(): string {
  return `TERM=${process.env.TERM || "xterm"}`;
}

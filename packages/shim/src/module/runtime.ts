/** The runtime of a container, as the plan's commands. */

import * as sys from "tiny:sys";
import { errorText, isSystemError, O_CLOEXEC, O_RDONLY, readText } from "@husk/tiny";
import {
  CONSOLE_PLACE,
  PID_FILE_PLACE,
  PROCESS_PLACE,
  type ShimPlan,
  SIGNAL_PLACE,
} from "@husk/wire/module-shim";
import { removeIfThere } from "../core/remove-if-there.ts";
import { boundText } from "./bound-text.ts";
import type { EndedChildren } from "./ended-children.ts";
import type { ExecStreams } from "./exec-streams.ts";
import { openContainerEnd } from "./fifo.ts";
import { type CommandFailure, runCommand } from "./run-command.ts";
import { RuntimeLog } from "./runtime-log.ts";

const MAX_PID = 0x7fff_ffff;
const PID_FILE_BYTES = 64;

/** A command of the runtime that failed. */
export interface RuntimeFault {
  message: string;
  /** last error in the runtime's log */
  runtimeLog?: string;
}

/** Where the files of an exec are. */
export interface ExecFiles {
  process: string;
  pidFile: string;
  /** socket for its terminal */
  console: string;
}

/** See the head of the file. */
export class Runtime {
  readonly #plan: ShimPlan;
  readonly #children: EndedChildren;
  readonly #log: RuntimeLog;

  constructor(plan: ShimPlan, children: EndedChildren) {
    this.#plan = plan;
    this.#children = children;
    this.#log = new RuntimeLog(plan.runtimeLog);
  }

  /** Makes the container, whose process is our child then: `made` is told its pid in time to wait for it. */
  create(made: (pid: number) => void): Promise<RuntimeFault | undefined> {
    return this.#children.during(async () => {
      const descriptors = this.#prepareCreate();
      if ("message" in descriptors) return descriptors;
      const failure = await this.#run(this.#plan.create, descriptors);
      for (const fd of descriptors) sys.close(fd);
      return failure ?? this.#tellPid(this.#plan.pidFile, made);
    });
  }

  /** Clears what the last one has left. Gives the standard streams of the next. */
  #prepareCreate(): number[] | RuntimeFault {
    const { pidFile, exitFile } = this.#plan;
    try {
      removePidFile(pidFile);
      if (exitFile !== undefined) removeIfThere(exitFile);
      this.#log.empty();
      return openStandardStreams(this.#plan);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      return { message: boundText(errorText(error)) };
    }
  }

  /** Starts the container that was made. */
  start(): Promise<RuntimeFault | undefined> {
    return this.#run(this.#plan.start);
  }

  /** Sends a signal to the container's process. */
  kill(signal: number): Promise<RuntimeFault | undefined> {
    return this.#run([...this.#plan.kill, String(signal)]);
  }

  /** Removes the container, be it not there. */
  delete(): Promise<RuntimeFault | undefined> {
    return this.#run(this.#plan.delete);
  }

  /** Starts one more process in the container; `started` is told its pid in time to wait for it. */
  exec(
    files: ExecFiles,
    streams: Pick<ExecStreams, "commandEnds" | "hasTerminal">,
    started: (pid: number) => void,
  ): Promise<RuntimeFault | undefined> {
    return this.#children.during(async () => {
      const { exec, execTerminal = exec } = this.#plan;
      const descriptors = streams.commandEnds;
      const argv = fill(streams.hasTerminal ? execTerminal : exec, [
        [PROCESS_PLACE, files.process],
        [PID_FILE_PLACE, files.pidFile],
        [CONSOLE_PLACE, files.console],
      ]);
      return (await this.#run(argv, descriptors)) ?? this.#tellPid(files.pidFile, started);
    });
  }

  /** Whether signals for an exec's process go by a command. */
  get killsExecs(): boolean {
    return this.#plan.killExec !== undefined;
  }

  /** Sends a signal to an exec's process by the plan's command. */
  killExec(pidFile: string, signal: number): Promise<RuntimeFault | undefined> {
    const argv = fill(this.#plan.killExec ?? [], [
      [PID_FILE_PLACE, pidFile],
      [SIGNAL_PLACE, String(signal)],
    ]);
    return this.#run(argv);
  }

  async #run(argv: string[], descriptors?: number[]): Promise<RuntimeFault | undefined> {
    const { environment: environ, commandTimeoutMs: timeoutMs } = this.#plan;
    const mark = this.#log.mark();
    const failure = await runCommand({ argv, environ, timeoutMs, ...(descriptors ? { descriptors } : {}) });
    return failure && this.#describe(failure, mark);
  }

  #describe({ message, said }: CommandFailure, mark: number): RuntimeFault {
    const runtimeLog = this.#log.lastErrorSince(mark);
    const why = runtimeLog ?? said;
    const whole = boundText(why === "" ? message : `${message}: ${why}`);
    return { message: whole, ...(runtimeLog === undefined ? {} : { runtimeLog }) };
  }

  #tellPid(pidFile: string, told: (pid: number) => void): RuntimeFault | undefined {
    const text = readPidFile(pidFile);
    const pid = Number(text);
    if (!/^\d+$/.test(text) || pid < 1 || pid > MAX_PID)
      return { message: boundText(`${pidFile} has no process id, but ${JSON.stringify(text)}`) };
    told(pid);
    return undefined;
  }
}

/** runc, when it is killed, leaves the file under the name that it has until it is whole, and then cannot write it again. */
export function removePidFile(path: string): void {
  const name = path.lastIndexOf("/") + 1;
  for (const each of [path, `${path.slice(0, name)}.${path.slice(name)}`]) removeIfThere(each);
}

function readPidFile(path: string): string {
  try {
    return readText(path, PID_FILE_BYTES).trim();
  } catch {
    return "";
  }
}

/** stdin, stdout and stderr as the container has them. @throws SystemError */
function openStandardStreams({ stdout, stderr }: ShimPlan): number[] {
  const opened = [sys.open("/dev/null", O_RDONLY | O_CLOEXEC, 0)];
  try {
    for (const path of [stdout, stderr]) opened.push(openContainerEnd(path));
    return opened;
  } catch (error) {
    for (const fd of opened) sys.close(fd);
    throw error;
  }
}

function fill(argv: readonly string[], places: readonly [string, string][]): string[] {
  const values = new Map(places);
  return argv.map((word) => values.get(word) ?? word);
}

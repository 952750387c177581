import * as sys from "tiny:sys";
import { errorText } from "@husk/tiny";
import {
  CONSOLE_PLACE,
  type ExecShimCall,
  encodeFault,
  type ShimFaultCode,
  type ShimPlan,
} from "@husk/wire/module-shim";
import { removeIfThere } from "../core/remove-if-there.ts";
import { boundText } from "./bound-text.ts";
import type { ControlClient } from "./control-client.ts";
import type { EndedChildren } from "./ended-children.ts";
import { writeProcessFile } from "./exec-process-file.ts";
import { ExecSession } from "./exec-session.ts";
import { type ExecStreams, PipeStreams } from "./exec-streams.ts";
import { TerminalStreams } from "./exec-terminal.ts";
import { type ExecFiles, type Runtime, removePidFile } from "./runtime.ts";
import type { SupervisedContainer } from "./supervised-container.ts";
import { HostTerminal, RuntimeTerminal } from "./terminal-source.ts";

/** Most execs at a time. */
const MAX_EXECS = 64;

/** What execs are run with. */
export interface ExecParts {
  plan: ShimPlan;
  runtime: Runtime;
  container: SupervisedContainer;
  children: EndedChildren;
}

/** Runs more processes in the container, each for a client, to which it is connected until it ends. */
export class ExecRunner {
  readonly #parts: ExecParts;
  #count = 0;
  #running = 0;

  constructor(parts: ExecParts) {
    this.#parts = parts;
  }

  /** Runs one, and answers the client, whatever happens. */
  async run(client: ControlClient, call: ExecShimCall): Promise<void> {
    client.answer(await this.#runOne(client, call));
  }

  async #runOne(client: ControlClient, call: ExecShimCall): Promise<Uint8Array> {
    const { container, plan } = this.#parts;
    const { state } = container.state;
    if (state !== "running") return makeFault("not-running", `the container is ${state}`);
    if (this.#running >= MAX_EXECS)
      return makeFault("busy", `${MAX_EXECS} processes have been started in it`);
    const files = this.#nextFiles();
    this.#running++;
    try {
      writeProcessFile(files.process, plan.bundle, call);
      const streams = openStreams(plan, client, call, files);
      return await new ExecSession({ ...this.#parts, client, streams, files }).run(call.timeoutMs);
    } catch (error) {
      return makeFault("runtime", errorText(error));
    } finally {
      this.#running--;
      for (const path of [files.process, files.console]) removeIfThere(path);
      removePidFile(files.pidFile);
    }
  }

  #nextFiles(): ExecFiles {
    const { plan } = this.#parts;
    // Not those of a shim before us, which may have left them.
    const name = `${plan.pidFile}.exec-${sys.getpid()}-${++this.#count}`;
    // A socket's path may not be long.
    const console = `${plan.socket.slice(0, plan.socket.lastIndexOf("/"))}/t${this.#count}`;
    return { process: `${name}.json`, pidFile: name, console };
  }
}

/** @throws Error when there can be none */
function openStreams(
  { execTerminal }: ShimPlan,
  client: ControlClient,
  { terminal }: ExecShimCall,
  { console }: ExecFiles,
): ExecStreams {
  if (!terminal) return new PipeStreams(client);
  if (!execTerminal) throw new Error("the container was made without commands for terminals");
  const isRuntimes = execTerminal.includes(CONSOLE_PLACE);
  const source = isRuntimes ? new RuntimeTerminal(console) : new HostTerminal(terminal);
  return new TerminalStreams(client, source, terminal);
}

function makeFault(code: ShimFaultCode, message: string): Uint8Array {
  return encodeFault({ code, message: boundText(message) });
}

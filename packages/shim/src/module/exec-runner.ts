import * as sys from "tiny:sys";
import { errorText } from "@husk/tiny";
import { encodeFault, type ShimCall, type ShimFaultCode, type ShimPlan } from "@husk/wire/module-shim";
import { removeIfThere } from "../core/remove-if-there.ts";
import { boundText } from "./bound-text.ts";
import type { ControlClient } from "./control-client.ts";
import type { EndedChildren } from "./ended-children.ts";
import { writeProcessFile } from "./exec-process-file.ts";
import { ExecSession } from "./exec-session.ts";
import { type ExecFiles, type Runtime, removePidFile } from "./runtime.ts";
import type { SupervisedContainer } from "./supervised-container.ts";

/** Most execs at a time. */
const MAX_EXECS = 64;

type ExecCall = ShimCall & { method: "exec" };

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
  async run(client: ControlClient, call: ExecCall): Promise<void> {
    client.answer(await this.#runOne(client, call));
  }

  async #runOne(client: ControlClient, call: ExecCall): Promise<Uint8Array> {
    const { container, plan } = this.#parts;
    const { state } = container.state;
    if (state !== "running") return makeFault("not-running", `the container is ${state}`);
    if (this.#running >= MAX_EXECS)
      return makeFault("busy", `${MAX_EXECS} processes have been started in it`);
    const files = this.#nextFiles();
    this.#running++;
    try {
      writeProcessFile(files.process, plan.bundle, call);
      return await new ExecSession({ ...this.#parts, client, files }).run(call.timeoutMs);
    } catch (error) {
      return makeFault("runtime", errorText(error));
    } finally {
      this.#running--;
      removeIfThere(files.process);
      removePidFile(files.pidFile);
    }
  }

  #nextFiles(): ExecFiles {
    const { pidFile } = this.#parts.plan;
    // Not those of a shim before us, which may have left them.
    const name = `${pidFile}.exec-${sys.getpid()}-${++this.#count}`;
    return { process: `${name}.json`, pidFile: name };
  }
}

function makeFault(code: ShimFaultCode, message: string): Uint8Array {
  return encodeFault({ code, message: boundText(message) });
}

import { errorText, isSystemError } from "@husk/tiny";
import { encodeFault, type ShimCall, type ShimFaultCode, type ShimPlan } from "@husk/wire/module-shim";
import { removeIfThere } from "../core/remove-if-there.ts";
import { boundText } from "./bound-text.ts";
import type { ControlClient } from "./control-client.ts";
import type { EndedChildren } from "./ended-children.ts";
import { writeProcessFile } from "./exec-process-file.ts";
import { ExecSession } from "./exec-session.ts";
import type { ExecFiles, Runtime } from "./runtime.ts";
import type { SupervisedContainer } from "./supervised-container.ts";

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
  async run(client: ControlClient, call: ShimCall & { method: "exec" }): Promise<void> {
    const refuse = (code: ShimFaultCode, message: string) =>
      client.answer(encodeFault({ code, message: boundText(message) }));
    const { state } = this.#parts.container.state;
    if (state !== "running") return refuse("not-running", `the container is ${state}`);
    if (this.#running >= MAX_EXECS) return refuse("busy", `${MAX_EXECS} processes have been started in it`);
    const files = this.#nextFiles();
    this.#running++;
    try {
      writeProcessFile(files.process, this.#parts.plan.bundle, call);
      await this.#runSession(client, files, call.timeoutMs);
    } catch (error) {
      if (isSystemError(error) || error instanceof Error) refuse("runtime", errorText(error));
      else throw error;
    } finally {
      this.#running--;
      for (const path of [files.process, files.pidFile]) removeIfThere(path);
    }
  }

  async #runSession(client: ControlClient, files: ExecFiles, timeoutMs: number | undefined): Promise<void> {
    const { runtime, children } = this.#parts;
    const session = new ExecSession({ client, files, runtime, children });
    await session.run(timeoutMs);
  }

  #nextFiles(): ExecFiles {
    const { pidFile } = this.#parts.plan;
    const name = `${pidFile}.exec${++this.#count}`;
    return { process: `${name}.json`, pidFile: name };
  }
}

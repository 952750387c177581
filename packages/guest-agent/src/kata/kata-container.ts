/** A container as the Kata door's host knows it, with its processes. */

import type { ExecProcessRequest } from "@husk/wire/kata";
import { StatusCode, TtrpcError } from "@husk/wire/ttrpc";
import type { Container } from "../core/container.ts";
import type { OciContainerPlan } from "../core/oci/plan-container.ts";
import { planOciProcess } from "../core/oci/plan-process.ts";
import { log } from "../log.ts";
import { KataProcess } from "./kata-process.ts";
import { MAX_CONNECTIONS } from "./limits.ts";

/**
 * Ended processes whose output has not been read to its end, of which the oldest are forgotten: as many as there can be readers.
 */
const MAX_UNREAD = MAX_CONNECTIONS;

/** What is needed of a plan as long as the container is there; the rest has all of its specification. */
type LastingPlan = Pick<OciContainerPlan, "runHooks" | "installSeccomp" | "ids">;

/** See the head of the file. */
export class KataContainer {
  readonly container: Container;
  readonly init: KataProcess;
  readonly #plan: LastingPlan;
  readonly #processes = new Map<string, KataProcess>();
  /** ids of those whose end has been told, but not all of their output, the oldest first */
  readonly #unread = new Set<string>();

  constructor(container: Container, init: KataProcess, plan: OciContainerPlan) {
    this.container = container;
    this.init = init;
    const { runHooks, installSeccomp, ids } = plan;
    this.#plan = { runHooks, installSeccomp, ids };
    init.become(container.init);
  }

  get id(): string {
    return this.container.id;
  }

  /** Lets the first process go on. */
  async start(): Promise<void> {
    if (!this.container.running)
      throw new TtrpcError(StatusCode.FAILED_PRECONDITION, `container "${this.id}" has ended`);
    if (!this.container.init.held)
      throw new TtrpcError(StatusCode.FAILED_PRECONDITION, `container "${this.id}" is started already`);
    await this.container.start();
    // The container runs, whatever becomes of these.
    await this.#runHooks("poststart", "running", this.container.init.pid);
  }

  /** What is to be done when it is gone. */
  async finish(): Promise<void> {
    for (const process of [this.init, ...this.#processes.values()]) process.forget();
    await this.#runHooks("poststop", "stopped", 0);
  }

  async #runHooks(
    point: "poststart" | "poststop",
    status: "running" | "stopped",
    pid: number,
  ): Promise<void> {
    try {
      await this.#plan.runHooks(point, status, pid);
    } catch (error) {
      log("error", `container ${this.id}: ${error}`);
    }
  }

  /** Starts one more process. */
  async exec({ execId: id, process: spec, stringUser }: ExecProcessRequest): Promise<void> {
    if (!this.container.running || this.container.init.held)
      throw new TtrpcError(StatusCode.FAILED_PRECONDITION, `container "${this.id}" is not running`);
    // Its process would be stopped before it is set up.
    if (this.container.cgroup.frozen)
      throw new TtrpcError(StatusCode.FAILED_PRECONDITION, `container "${this.id}" is paused`);
    const plan = planOciProcess(spec, {
      id,
      stringUser,
      makeWorkdir: false,
      installSeccomp: this.#plan.installSeccomp,
      ids: this.#plan.ids,
    });
    const process = this.#reserve(id);
    try {
      process.become(await this.container.exec(plan, process.attachment()));
    } catch (error) {
      this.#forget(process);
      throw error;
    }
  }

  #reserve(id: string): KataProcess {
    const former = this.#processes.get(id);
    if (id === this.init.id || (former && !this.#unread.has(id)))
      throw new TtrpcError(StatusCode.ALREADY_EXISTS, `process "${id}" is there already`);
    if (former) this.#forget(former);
    const process = new KataProcess(id);
    this.#processes.set(id, process);
    return process;
  }

  #forget(process: KataProcess): void {
    process.forget();
    if (this.#processes.get(process.id) !== process) return;
    this.#processes.delete(process.id);
    this.#unread.delete(process.id);
  }

  /** A process by its id. @throws TtrpcError NOT_FOUND */
  process(id: string): KataProcess {
    const process = id === this.init.id ? this.init : this.#processes.get(id);
    if (!process) throw new TtrpcError(StatusCode.NOT_FOUND, `container "${this.id}" has no process "${id}"`);
    return process;
  }

  /** The host knows that a process has ended: all but its output is forgotten. The first one stays known. */
  forgetEnded(process: KataProcess): void {
    if (process === this.init || this.#processes.get(process.id) !== process) return;
    if (!process.streams.hasUnread) this.#forget(process);
    else this.#unread.add(process.id);
    const [oldest] = this.#unread;
    if (this.#unread.size > MAX_UNREAD && oldest !== undefined) this.#forget(this.process(oldest));
  }

  /** The host has read an output to its end. */
  forgetRead(process: KataProcess): void {
    if (this.#unread.has(process.id) && !process.streams.hasUnread) this.#forget(process);
  }
}

/** The life of a container: its starts, its ends, and what follows from each; every step is on disk before the next. */

import * as sys from "tiny:sys";
import { CLOCK_BOOTTIME, exists, startTimer, stopTimer, timeNow } from "@husk/tiny";
import type { ShimPlan, ShimState, StartFault } from "@husk/wire/module-shim";
import { boundText } from "./bound-text.ts";
import { type ContainerEnd, ContainerProcess, readExitFile } from "./container-process.ts";
import type { EndedChildren } from "./ended-children.ts";
import type { OutputMover } from "./output-mover.ts";
import { millisecondsSince } from "./process-stat.ts";
import type { Runtime, RuntimeFault } from "./runtime.ts";
import type { StateChange, StateFile } from "./state-file.ts";

const NO_PROCESS: StateChange = { pid: undefined, pidStartTime: undefined };
const NO_EXIT: StateChange = {
  exitedAt: undefined,
  exitCode: undefined,
  exitSignal: undefined,
  exitUnknown: undefined,
  oomKilled: undefined,
};

/** What a container is made of. */
export interface ContainerParts {
  plan: ShimPlan;
  states: StateFile;
  runtime: Runtime;
  children: EndedChildren;
  output: OutputMover;
}

/** See the head of the file. */
export class SupervisedContainer {
  readonly #parts: ContainerParts;
  #process: ContainerProcess | undefined;
  /** the start, or what follows an end, that is going on; settled when nothing is */
  #work: Promise<unknown> = Promise.resolve();
  #restartTimer: number | undefined;
  /** when it has run long enough for its restarts not to count any more */
  #steadyTimer: number | undefined;
  #isAdopted = false;

  constructor(parts: ContainerParts) {
    this.#parts = parts;
  }

  get state(): ShimState {
    return this.#parts.states.current;
  }

  /** The process that runs, or has just ended. */
  get process(): ContainerProcess | undefined {
    return this.#process;
  }

  /** What there is to be told when the beginning has gone well. */
  get started(): { pid?: number; adopted?: true } {
    const { pid } = this.state;
    return { ...(pid === undefined ? {} : { pid }), ...(this.#isAdopted ? { adopted: true } : {}) };
  }

  /** Whether it has come to its end for good. */
  get isOver(): boolean {
    return this.state.state === "stopped" || this.state.state === "failed";
  }

  /** Begins where the last shim came to. What went wrong, if a start did. */
  begin(): Promise<StartFault | undefined> {
    return this.#do(() => this.#beginWork());
  }

  /** Forbids further starts, from now on and on disk; one that waits for its time is given up. */
  requestStop(): void {
    if (this.isOver) return;
    this.#change({ stopRequested: true });
    if (this.#restartTimer === undefined) return;
    this.#clearRestart();
    this.#change({ state: "stopped", reason: "stopped before it was started again" });
  }

  /** Resolves when no start and nothing that follows an end is going on. */
  async whenSettled(): Promise<void> {
    for (let work: Promise<unknown> | undefined; work !== this.#work; ) {
      work = this.#work;
      await work;
    }
  }

  async #beginWork(): Promise<StartFault | undefined> {
    const { states, runtime } = this.#parts;
    const { state, bootId } = states.current;
    if (this.isOver) {
      if (this.state.unremoved) await this.#delete();
      return undefined;
    }
    const isSameBoot = !states.wasLeft || states.leftBootId === bootId;
    if (state === "running" && isSameBoot) return this.#adopt();
    if (state === "restarting" && isSameBoot && !this.#mustStop) {
      this.#restartLater();
      return undefined;
    }
    // A shim before us, or the boot before this one, has left this or that.
    if (states.wasLeft) await runtime.delete();
    if (!this.#mustStop) return this.#startNow();
    this.#change({ ...NO_PROCESS, state: "stopped" });
    return undefined;
  }

  /** A container that ran when the last shim was there. */
  async #adopt(): Promise<undefined> {
    const { pid = 0, pidStartTime = 0 } = this.state;
    const process = ContainerProcess.adopt(pid, pidStartTime);
    if (process) {
      this.#isAdopted = true;
      this.#process = process;
      this.#change({});
      this.#watch(process);
      return;
    }
    // It ended when nobody was there, and nobody knows when.
    await this.#afterEnd(readExitFile(this.#parts.plan.exitFile), false);
  }

  get #mustStop(): boolean {
    const { deleting } = this.#parts.plan;
    return this.state.stopRequested === true || (deleting !== undefined && exists(deleting));
  }

  /** Makes and starts it. What went wrong: then nothing of it is left, and it has failed. */
  async #startNow(): Promise<StartFault | undefined> {
    const isFirst = this.state.state === "creating";
    this.#change({ state: isFirst ? "creating" : "restarting", ...NO_PROCESS });
    const fault = await this.#launch();
    if (!fault) return undefined;
    this.#process = undefined;
    this.#parts.output.drain();
    const reason = isFirst ? fault.message : `it could not be started again: ${fault.message}`;
    const state = this.#mustStop ? "stopped" : "failed";
    this.#change({ ...NO_PROCESS, state, reason: boundText(reason), unremoved: true });
    await this.#delete();
    return fault;
  }

  async #launch(): Promise<StartFault | undefined> {
    const { runtime, children } = this.#parts;
    let process: ContainerProcess | undefined;
    const made = (pid: number) => {
      process = ContainerProcess.ofRuntime(pid, children);
    };
    const notMade = await runtime.create(made);
    if (notMade || !process) return asFault("create", notMade);
    this.#change({ pid: process.pid, pidStartTime: process.startTime });
    if (this.#mustStop) return { step: "start", message: "it was stopped before it was started" };
    const startedAt = timeNow();
    const notStarted = await runtime.start();
    if (notStarted) return asFault("start", notStarted);
    this.#process = process;
    this.#change({ state: "running", startedAt, reason: undefined });
    this.#watch(process);
    return undefined;
  }

  #watch(process: ContainerProcess): void {
    this.#forgetRestartsLater(process);
    process.whenEnded(this.#parts.plan.exitFile).then((end) => this.#do(() => this.#afterEnd(end, true)));
  }

  /** `isSeen`: its end was seen, and when. */
  async #afterEnd(end: ContainerEnd, isSeen: boolean): Promise<void> {
    this.#parts.output.drain();
    stopTimer(this.#steadyTimer);
    const ended = { ...NO_PROCESS, ...NO_EXIT, ...end.exit, exitedAt: isSeen ? timeNow() : undefined };
    this.#process = undefined;
    this.#change({ ...ended, ...this.#whatNext(end), unremoved: true });
    await this.#delete();
    if (this.state.state !== "restarting") return;
    if (this.#mustStop) this.#change({ state: "stopped" });
    else this.#restartLater();
  }

  #whatNext(end: ContainerEnd): StateChange {
    const { restarts } = this.state;
    const { limit } = this.#parts.plan.restart;
    if (this.#mustStop || limit === 0) return { state: "stopped", reason: end.lost };
    if (restarts < limit) return { state: "restarting", restarts: restarts + 1, reason: end.lost };
    return {
      state: "failed",
      reason: boundText(`it has ended ${restarts + 1} times in a row, at last with ${describeEnd(end)}`),
    };
  }

  #forgetRestartsLater({ startTime }: ContainerProcess): void {
    if (this.state.restarts === 0 || startTime === 0) return;
    const ran = millisecondsSince(startTime, sys.clock(CLOCK_BOOTTIME));
    const rest = Math.max(0, this.#parts.plan.restart.windowMs - ran);
    this.#steadyTimer = startTimer(rest, () => this.#change({ restarts: 0 }));
  }

  #restartLater(): void {
    this.#restartTimer = startTimer(this.#parts.plan.restart.delayMs, () => {
      this.#restartTimer = undefined;
      this.#do(() => this.#restart());
    });
  }

  async #restart(): Promise<void> {
    if (this.#mustStop) return this.#change({ state: "stopped" });
    // Also what is left of a start in which the last shim died.
    await this.#delete();
    await this.#startNow();
  }

  #clearRestart(): void {
    stopTimer(this.#restartTimer);
    this.#restartTimer = undefined;
  }

  async #delete(): Promise<void> {
    const fault = await this.#parts.runtime.delete();
    if (fault) this.#parts.states.warn(`it could not be removed: ${fault.message}`);
    else if (this.state.unremoved) this.#change({ unremoved: undefined });
  }

  #change(change: StateChange): void {
    this.#parts.states.change(change);
  }

  /** One piece of work at a time. */
  #do<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#work.then(work);
    this.#work = done;
    return done;
  }
}

function asFault(step: string, fault: RuntimeFault | undefined): StartFault {
  return { step, ...(fault ?? { message: "it has no process" }) };
}

function describeEnd({ exit: { exitCode, exitSignal, oomKilled }, lost }: ContainerEnd): string {
  const memory = oomKilled ? ", out of memory" : "";
  if (exitSignal !== undefined) return `signal ${exitSignal}${memory}`;
  if (exitCode === undefined) return `an exit code that nobody saw${lost === undefined ? "" : `: ${lost}`}`;
  return `exit code ${exitCode}${memory}`;
}

/** A process of a container, as the agent holds it: its streams, its end, and who is to hear of that. */

import * as sys from "tiny:sys";
import { exitCode, onExit, SIGKILL, setWindowSize, writeControl } from "@husk/tiny";
import { becomeReady, executeProgram } from "./exec-program.ts";
import type { ProcessPlan } from "./process-plan.ts";
import type { ProcessStreams } from "./process-streams.ts";
import { type Course, type StartedChild, startChild } from "./start-child.ts";
import { closeStdio, openStdio, type Stdio } from "./stdio.ts";

/** What the agent does while a child of this pid pauses. */
export type Stop = (pid: number) => void | Promise<void>;

/** Where a process is started. */
export interface Place {
  /** where the agent sees the terminals of the place */
  devpts: string;
  /** PID namespace to be born in; undefined for the agent's own */
  pidNamespace: number | undefined;
  /** `CLONE_NEW*` of namespaces that the process gets anew */
  namespaces: number;
  /** In the child: joins the namespaces, the cgroup and the root. */
  enter(stdio: Stdio, course: Course): void;
  /** In the child, later: enters the user namespace of the place. */
  enterUsers?(course: Course): void;
  /** whether it waits, when all is set up, for {@link Process.start} */
  held?: boolean;
  /** what the agent does each time that the child pauses, before it is set up */
  stops?: readonly Stop[];
}

/** Who carries a process's streams and is told of its end; either end may come first. */
export interface Attachment {
  streams: ProcessStreams;
  /** it is dead, with this exit code */
  onExited(code: number): void;
  /** it is dead, and nothing of its output is to be waited for */
  onReleased(code: number): void;
}

/** What a process has that nobody will hear of any more. */
const DETACHED: Attachment = {
  streams: { connect: () => {}, endInput: () => {}, release: () => {} },
  onExited: () => {},
  onReleased: () => {},
};

/** See the head of the file. */
export class Process {
  readonly id: string;
  readonly pid: number;
  readonly #child: StartedChild;
  readonly #stdio: Stdio;
  #attachment: Attachment;
  #held: boolean;
  #outputDone = false;
  #exited = false;
  #announced = false;
  #released = false;
  #code = 0;

  private constructor(id: string, child: StartedChild, stdio: Stdio, attachment: Attachment, held: boolean) {
    this.id = id;
    this.pid = child.pid;
    this.#child = child;
    this.#stdio = stdio;
    this.#attachment = attachment;
    this.#held = held;
  }

  /**
   * Makes a process and waits until it is the program asked for, or is held before that, or has failed.
   *
   * @param attachment not called before {@link announce}
   * @throws Error with what the child could not do
   */
  static async create(plan: ProcessPlan, place: Place, attachment: Attachment): Promise<Process> {
    const stdio = openStdio(plan.terminal, place.devpts);
    let process: Process | undefined;
    let earlyStatus: number | undefined;
    try {
      const child = startChild(childBody(plan, place, stdio), {
        pidNamespace: place.pidNamespace,
        namespaces: place.namespaces,
        pauses: place.held === true || place.stops !== undefined,
      });
      onExit(child.pid, (status) => {
        child.forget();
        if (process) process.#end(status);
        else earlyStatus = status;
      });
      for (const fd of stdio.childEnds.splice(0)) sys.close(fd);
      await arrive(child, place);
      process = new Process(plan.id, child, stdio, attachment, place.held === true);
    } catch (error) {
      for (const fd of stdio.childEnds) sys.close(fd);
      closeStdio(stdio);
      throw error;
    }
    process.#connect();
    if (earlyStatus !== undefined) process.#end(earlyStatus);
    return process;
  }

  /** Lets a process that was held become its program. @throws Error when it cannot, or is not held */
  async start(): Promise<void> {
    if (!this.#held) throw new Error("the process is started already");
    this.#held = false;
    await this.#child.goOn();
  }

  /** whether it waits for {@link start} */
  get held(): boolean {
    return this.#held && !this.#exited;
  }

  /** Tells of the end from now on. Called when the host knows that the process was started. */
  announce(): void {
    this.#announced = true;
    if (this.#exited) this.#attachment.onExited(this.#code);
    this.#releaseWhenDone();
  }

  get exited(): boolean {
    return this.#exited;
  }

  /** Resizes its terminal. @throws Error when it has none */
  resize(rows: number, columns: number): void {
    if (this.#stdio.terminal === undefined) throw new Error("the process has no terminal");
    if (!this.#released) setWindowSize(this.#stdio.output, rows, columns);
  }

  #connect(): void {
    this.#attachment.streams.connect(this.#stdio, () => {
      this.#outputDone = true;
      this.#releaseWhenDone();
    });
  }

  #end(status: number): void {
    this.#exited = true;
    this.#code = exitCode(status);
    if (this.#announced) this.#attachment.onExited(this.#code);
    this.#attachment.streams.endInput();
    this.#releaseWhenDone();
  }

  #releaseWhenDone(): void {
    if (this.#released || !this.#announced || !this.#exited || !this.#outputDone) return;
    this.#released = true;
    const { streams, onReleased } = this.#attachment;
    // Nobody is told any more. What refers to itself in a circle would keep its memory for long.
    this.#attachment = DETACHED;
    streams.release();
    onReleased(this.#code);
  }
}

function childBody(plan: ProcessPlan, place: Place, stdio: Stdio): (course: Course) => never {
  return (course) => {
    // Not the agent's own, which it would inherit.
    writeControl("/proc/self/oom_score_adj", String(plan.oomScore));
    place.enter(stdio, course);
    const program = becomeReady(plan, stdio, {
      enterUsers: () => place.enterUsers?.(course),
      findsProgram: place.held === true,
    });
    if (place.held) {
      course.keepOnly([0, 1, 2]);
      course.pause();
    }
    executeProgram(plan, program);
  };
}

/** Waits until the child is set up. What is to be done while it pauses is done, or ends it. */
async function arrive(child: StartedChild, { stops = [] }: Place): Promise<void> {
  await child.started;
  for (const stop of stops) {
    try {
      await stop(child.pid);
    } catch (error) {
      child.forget();
      sys.kill(child.pid, SIGKILL);
      throw error;
    }
    await child.goOn();
  }
}

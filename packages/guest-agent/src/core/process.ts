/** A process of a container, as the agent holds it: its streams, its end, and who is to hear of that. */

import * as sys from "tiny:sys";
import { Errno, exitCode, hasErrno, onExit, SIGKILL, setWindowSize } from "@husk/tiny";
import type { Process as ProcessSpec } from "@husk/wire/hyperstart";
import { execProgram, type Launch } from "./exec-program.ts";
import { OutputSource } from "./frame-writer.ts";
import { startChild } from "./start-child.ts";
import { Stdin } from "./stdin.ts";
import { closeStdio, openStdio, type Stdio } from "./stdio.ts";
import type { StreamChannel } from "./stream-channel.ts";

/** Where a process is started. */
export interface Place {
  hostname: string;
  /** where the agent sees the terminals of the place */
  devpts: string;
  /** PID namespace to be born in; undefined for the agent's own */
  pidNamespace: number | undefined;
  /** `CLONE_NEW*` of namespaces that the process gets anew */
  namespaces: number;
  makeWorkdir: boolean;
  /** whether the process's terminal becomes the container's console */
  hasConsole: boolean;
  /** in the child: joins the namespaces, the cgroup and the root */
  enter(): void;
}

/** Told of a process's end; either may come first. */
export interface ProcessEvents {
  /** it is dead, with this exit code */
  onExited(code: number): void;
  /** it is dead, and every one of its streams has ended; the host has been sent the end of its output */
  onReleased(code: number): void;
}

/** See the head of the file. */
export class Process {
  readonly id: string;
  readonly pid: number;
  readonly #spec: ProcessSpec;
  readonly #streams: StreamChannel;
  readonly #stdin: Stdin;
  readonly #stdio: Stdio;
  readonly #events: ProcessEvents;
  #openOutputs = 0;
  #exited = false;
  #announced = false;
  #released = false;
  #code = 0;

  private constructor(
    pid: number,
    spec: ProcessSpec,
    stdio: Stdio,
    streams: StreamChannel,
    events: ProcessEvents,
  ) {
    this.id = spec.id;
    this.pid = pid;
    this.#spec = spec;
    this.#stdio = stdio;
    this.#streams = streams;
    this.#events = events;
    this.#stdin = new Stdin(stdio.input, stdio.isTerminal, () => streams.resume());
  }

  /**
   * Starts a process and waits until it is the program asked for, or has failed to become it.
   *
   * @param events not called before {@link announce}
   * @param forked called with the child's pid as soon as there is one
   * @throws Error with what the child could not do
   */
  static async start(
    spec: ProcessSpec,
    place: Place,
    streams: StreamChannel,
    events: ProcessEvents,
    forked: (pid: number) => void = () => {},
  ): Promise<Process> {
    if (streams.hasInput(spec.stdio)) throw new Error(`stream ${spec.stdio} is in use`);
    const stdio = openStdio(spec, place.devpts);
    const { hostname, makeWorkdir, hasConsole } = place;
    const launch: Launch = { spec, stdio, hostname, makeWorkdir, hasConsole };
    const body = (): never => {
      place.enter();
      execProgram(launch);
    };
    let process: Process | undefined;
    let earlyStatus: number | undefined;
    try {
      const child = startChild(body, place.pidNamespace, place.namespaces);
      onExit(child.pid, (status) => {
        if (process) process.#end(status);
        else earlyStatus = status;
      });
      try {
        forked(child.pid);
      } catch (error) {
        // Of a child that has ended already there is nothing left to open; what became of it is heard below.
        if (!hasErrno(error, Errno.ENOENT)) {
          child.started.catch(() => {});
          sys.kill(child.pid, SIGKILL);
          throw error;
        }
      }
      for (const fd of stdio.childEnds.splice(0)) sys.close(fd);
      await child.started;
      process = new Process(child.pid, spec, stdio, streams, events);
    } catch (error) {
      for (const fd of stdio.childEnds) sys.close(fd);
      closeStdio(stdio);
      throw error;
    }
    process.#connect();
    if (earlyStatus !== undefined) process.#end(earlyStatus);
    return process;
  }

  /** Tells of the end from now on. Called when the host knows that the process was started. */
  announce(): void {
    this.#announced = true;
    if (this.#exited) this.#events.onExited(this.#code);
    this.#releaseWhenDone();
  }

  /** stream of its input and output */
  get stdio(): number {
    return this.#spec.stdio;
  }

  get exited(): boolean {
    return this.#exited;
  }

  /** Resizes its terminal. @throws Error when it has none */
  resize(rows: number, columns: number): void {
    if (!this.#stdio.isTerminal) throw new Error("the process has no terminal");
    setWindowSize(this.#stdio.output, rows, columns);
  }

  #connect(): void {
    const { output, error } = this.#stdio;
    this.#streams.addInput(this.#spec.stdio, this.#stdin);
    this.#addOutput(output, this.#spec.stdio);
    if (error !== undefined) this.#addOutput(error, this.#spec.stderr);
  }

  #addOutput(fd: number, seq: number): void {
    this.#openOutputs++;
    const source = new OutputSource(fd, seq, fd !== this.#stdio.input, () => {
      // A terminal's master is also the input's; it goes when the process does.
      if (fd !== this.#stdio.input) sys.close(fd);
      this.#openOutputs--;
      this.#releaseWhenDone();
    });
    this.#streams.addSource(source, fd === this.#stdio.input ? () => this.#stdin.flush() : undefined);
  }

  #end(status: number): void {
    this.#exited = true;
    this.#code = exitCode(status);
    this.#stdin.close();
    this.#streams.resume();
    if (this.#announced) this.#events.onExited(this.#code);
    this.#releaseWhenDone();
  }

  #releaseWhenDone(): void {
    if (this.#released || !this.#announced || !this.#exited || this.#openOutputs > 0) return;
    this.#released = true;
    if (this.#stdio.isTerminal) sys.close(this.#stdio.input);
    // Until here the host may not have known of the end: what it sent was dropped, not answered with an end.
    this.#streams.removeInput(this.#spec.stdio);
    this.#streams.sendEnd(this.#spec.stdio);
    this.#events.onReleased(this.#code);
  }
}

import type { ProcessRequest } from "@husk/wire/hyperstart";
import type { Session } from "./session.ts";

/** How a process ended, and what it wrote. */
export interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

/** A process that an agent runs, as its host sees it. */
export class GuestProcess {
  readonly container: string;
  readonly id: string;
  readonly stdio: number;
  readonly stderr: number;
  readonly #session: Session;

  constructor(session: Session, container: string, spec: ProcessRequest) {
    this.#session = session;
    this.container = container;
    this.id = spec.id;
    this.stdio = spec.stdio;
    this.stderr = spec.stderr ?? 0;
  }

  get #key(): string {
    return `${this.container}/${this.id}`;
  }

  /** Writes to its standard input. */
  write(data: Uint8Array | string): Promise<void> {
    return this.#session.sendInput(this.stdio, typeof data === "string" ? Buffer.from(data) : data);
  }

  /** Ends its standard input. */
  endInput(): Promise<void> {
    return this.#session.sendInput(this.stdio);
  }

  /** What it has written so far. */
  get outputSoFar(): string {
    return Buffer.concat(this.#session.streams.get(this.stdio) ?? []).toString();
  }

  /** Resolves when it has written something that `isMet` likes. */
  outputUntil(isMet: (output: string) => boolean): Promise<void> {
    return this.#session.until(() => isMet(this.outputSoFar));
  }

  /** Its exit code, when the agent has told of it. */
  async exited(): Promise<number> {
    await this.#session.until(() => this.#session.exits.has(this.#key));
    return this.#session.exits.get(this.#key) as number;
  }

  /** Resolves when its output has ended. */
  ended(): Promise<void> {
    return this.#session.until(() => this.#session.endsOf(this.stdio) > 0);
  }

  /** All of it, when it has ended and all its output has come. */
  async result(): Promise<Result> {
    await this.ended();
    const code = await this.exited();
    const stderr = Buffer.concat(this.#session.streams.get(this.stderr) ?? []).toString();
    return { code, stdout: this.outputSoFar, stderr };
  }
}

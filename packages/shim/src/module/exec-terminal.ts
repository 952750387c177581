import * as sys from "tiny:sys";
import { F_DUPFD_CLOEXEC, setWindowSize } from "@husk/tiny";
import type { TerminalSize } from "@husk/wire/module-shim";
import type { ControlClient } from "./control-client.ts";
import { ExecOutput } from "./exec-output.ts";
import { ExecStdin } from "./exec-stdin.ts";
import type { ExecStreams } from "./exec-streams.ts";
import type { TerminalSource } from "./terminal-source.ts";

/** A terminal, whose master is here: all output is one, and input has no end. */
export class TerminalStreams implements ExecStreams {
  readonly hasTerminal = true;
  readonly #client: ControlClient;
  readonly #source: TerminalSource;
  #size: TerminalSize;
  /** what has come before there was a terminal to be given it */
  #early: Uint8Array[] = [];
  #master: number | undefined;
  #stdin: ExecStdin | undefined;
  #output: ExecOutput | undefined;

  constructor(client: ControlClient, source: TerminalSource, size: TerminalSize) {
    this.#client = client;
    this.#source = source;
    this.#size = size;
  }

  get commandEnds(): number[] {
    return this.#source.commandEnds;
  }

  closeCommandEnds(): void {
    for (const fd of new Set(this.commandEnds.splice(0))) sys.close(fd);
  }

  begin(): void {
    const master = this.#source.takeMaster();
    this.#master = master;
    this.resize(this.#size);
    const stdin = new ExecStdin(duplicate(master), () => this.#client.readOn());
    this.#stdin = stdin;
    this.#output = new ExecOutput("stdout", duplicate(master), this.#client);
    const isTaken = this.#early.splice(0).map((data) => stdin.give(data));
    if (!isTaken.includes(false)) this.#client.readOn();
    this.#output.begin();
  }

  giveStdin(data: Uint8Array): boolean {
    if (data.length === 0) return true;
    if (this.#stdin) return this.#stdin.give(data);
    this.#early.push(data);
    return false;
  }

  resize(size: TerminalSize): void {
    this.#size = size;
    if (this.#master !== undefined) setWindowSize(this.#master, size.rows, size.columns);
  }

  readOn(): void {
    this.#output?.readOn();
  }

  async finish(): Promise<void> {
    await this.#output?.finish();
  }

  readText(): string {
    return this.#source.readText();
  }

  close(): void {
    this.closeCommandEnds();
    this.#stdin?.close();
    this.#output?.close();
    if (this.#master !== undefined) sys.close(this.#master);
    this.#master = undefined;
    this.#source.close();
  }
}

/** Each of the two sides of a terminal is watched by itself. */
function duplicate(fd: number): number {
  return sys.fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

import * as sys from "tiny:sys";
import { F_SETFL, O_CLOEXEC, O_NONBLOCK } from "@husk/tiny";
import type { TerminalSize } from "@husk/wire/module-shim";
import type { ControlClient } from "./control-client.ts";
import { ExecOutput } from "./exec-output.ts";
import { ExecStdin } from "./exec-stdin.ts";

/** What is between an exec's process and its client. */
export interface ExecStreams {
  readonly hasTerminal: boolean;
  /** stdin, stdout and stderr of the command that starts the process */
  readonly commandEnds: number[];
  /** Closes those here. */
  closeCommandEnds(): void;
  /** The process runs: its output is sent. @throws Error when it has not what it should have */
  begin(): void;
  /** As `ExecInput` has it. */
  giveStdin(data: Uint8Array): boolean;
  resize(size: TerminalSize): void;
  /** Goes on when the client takes more, or has gone. */
  readOn(): void;
  /** Resolves when all that a process has left which has ended is sent. */
  finish(): Promise<void>;
  /** What a command has said that has not started any. */
  readText(): string;
  close(): void;
}

/** Three pipes. */
export class PipeStreams implements ExecStreams {
  readonly hasTerminal = false;
  readonly commandEnds: number[];
  readonly #stdin: ExecStdin;
  readonly #outputs: readonly ExecOutput[];

  constructor(client: ControlClient) {
    const [stdin, stdout, stderr] = [makePipe(), makePipe(), makePipe()];
    for (const fd of [stdin[1], stdout[0], stderr[0]]) sys.fcntl(fd, F_SETFL, O_NONBLOCK);
    this.commandEnds = [stdin[0], stdout[1], stderr[1]];
    this.#stdin = new ExecStdin(stdin[1], () => client.readOn());
    this.#outputs = [
      new ExecOutput("stdout", stdout[0], client),
      new ExecOutput("stderr", stderr[0], client),
    ];
  }

  closeCommandEnds(): void {
    for (const fd of this.commandEnds.splice(0)) sys.close(fd);
  }

  begin(): void {
    for (const output of this.#outputs) output.begin();
  }

  giveStdin(data: Uint8Array): boolean {
    return this.#stdin.give(data);
  }

  /** Pipes have none. */
  resize(): void {}

  readOn(): void {
    for (const output of this.#outputs) output.readOn();
  }

  async finish(): Promise<void> {
    await Promise.all(this.#outputs.map((output) => output.finish()));
  }

  readText(): string {
    return this.#outputs.map((output) => output.readText()).join("");
  }

  close(): void {
    this.closeCommandEnds();
    this.#stdin.close();
    for (const output of this.#outputs) output.close();
  }
}

function makePipe(): [read: number, write: number] {
  return sys.pipe2(O_CLOEXEC);
}

import { constants } from "node:os";
import type { ProcessIo } from "@husk/virtcontainers";
import { UsageError } from "../usage-error.ts";
import { DetachKeys } from "./detach-keys.ts";
import { flush, pumpOutput } from "./output-pump.ts";
import { enterRawMode } from "./raw-mode.ts";
import { followWindowSize } from "./window-size.ts";

/** How husk's own streams are tied to a process's. */
export interface ConnectOptions {
  /** pass stdin on */
  interactive: boolean;
  /** the process has a terminal */
  tty: boolean;
  /**
   * lets go of a process that is not husk's to end, nor its input to close: when nobody reads husk's output any more, or somebody has
   * typed the keys for it
   */
  letGo?: (reason: "broken-pipe" | "keys") => void;
}

/** milliseconds from SIGPIPE to SIGKILL, for a process whose output nobody reads any more */
const BROKEN_PIPE_GRACE = 2000;

/** @throws UsageError when a terminal is asked for and stdin is none */
export function checkTerminal(tty: boolean | undefined): void {
  if (!tty || process.stdin.isTTY) return;
  throw new UsageError("-t needs a terminal, and stdin is none", "leave -t out, or run husk in a terminal");
}

/**
 * Ties husk's own streams to those of a process. Reading begins at once, so connect before the process is
 * started.
 */
export class ProcessConnection implements Disposable {
  readonly #io: ProcessIo;
  readonly #options: ConnectOptions;
  readonly #cleanup = new DisposableStack();
  readonly #output: Promise<unknown>;

  constructor(io: ProcessIo, options: ConnectOptions) {
    this.#io = io;
    this.#options = options;
    const onBroken = () => (options.letGo ? options.letGo("broken-pipe") : this.#hangUp());
    this.#output = Promise.all([
      pumpOutput(io.stdout, process.stdout, onBroken),
      io.stderr && pumpOutput(io.stderr, process.stderr, onBroken),
    ]);
    // The process may end before all of its input is read; that is no error.
    io.stdin.on("error", () => process.stdin.unpipe());
    if (options.interactive) this.#passInput();
    else if (!options.tty && !options.letGo) io.stdin.end();
  }

  /** Ties what needs a running process: the size of its terminal. */
  started(): void {
    if (this.#options.tty) this.#cleanup.use(followWindowSize(this.#io));
  }

  /**
   * Waits until the process has ended and husk has written all of its output.
   * @returns its exit status
   * @throws HuskError when the process was lost
   */
  async ended(): Promise<number> {
    const [{ exitCode }] = await Promise.all([this.#io.wait(), this.#output]);
    await Promise.all([flush(process.stdout), flush(process.stderr)]);
    return exitCode;
  }

  /** Gives the terminal back and lets go of stdin. */
  [Symbol.dispose](): void {
    this.#cleanup.dispose();
  }

  #passInput(): void {
    const { tty, letGo } = this.#options;
    if (tty) this.#cleanup.use(enterRawMode(process.stdin));
    const input = tty && letGo ? new DetachKeys(() => letGo("keys")) : this.#io.stdin;
    if (input !== this.#io.stdin) input.pipe(this.#io.stdin);
    process.stdin.pipe(input);
    // Input that cannot be read (a terminal that hung up) ends the process's.
    process.stdin.on("error", () => input.end());
    this.#cleanup.defer(() => {
      process.stdin.unpipe(input);
      process.stdin.pause();
    });
  }

  /** Nobody reads the output: the process gets what a broken pipe would have given it. */
  #hangUp(): void {
    const { SIGPIPE, SIGKILL } = constants.signals;
    void this.#io.signal(SIGPIPE).catch(() => {});
    const timer = setTimeout(() => void this.#io.signal(SIGKILL).catch(() => {}), BROKEN_PIPE_GRACE);
    this.#cleanup.defer(() => clearTimeout(timer));
  }
}

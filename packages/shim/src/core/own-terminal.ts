import { rawMode, readTerminalMode, readWindowSize, type TerminalMode, writeTerminalMode } from "@husk/tiny";

const STDIN = 0;

/** The terminal that is our stdin: each key goes to the process as it is, which has a terminal of its own. */
export class OwnTerminal {
  readonly #found: TerminalMode;

  private constructor(found: TerminalMode) {
    this.#found = found;
    this.makeRaw();
  }

  /** Takes our stdin over, if it is a terminal. */
  static take(): OwnTerminal | undefined {
    const found = readTerminalMode(STDIN);
    return found && new OwnTerminal(found);
  }

  /** Also after we were stopped, when a shell has made it its own. */
  makeRaw(): void {
    writeTerminalMode(STDIN, rawMode(this.#found));
  }

  /** Leaves it as it was found; one that is gone is left. */
  restore(): void {
    if (readTerminalMode(STDIN)) writeTerminalMode(STDIN, this.#found);
  }

  /** Its size in characters, if anybody has told it. */
  get size(): { rows: number; columns: number } | undefined {
    return readWindowSize(STDIN);
  }
}

import {
  rawMode,
  readTerminalMode,
  readTextIfThere,
  readWindowSize,
  type TerminalMode,
  writeTerminalMode,
} from "@husk/tiny";

const STDIN = 0;

/**
 * Whether a shell has put us into the background of our terminal, which is another's then. Of `/proc/self/stat`: behind the
 * name the state, the parent, our process group, the session, the terminal, and the group in its foreground.
 */
export function isInBackground(): boolean {
  const stat = readTextIfThere("/proc/self/stat") ?? "";
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [group, foreground] = [Number(fields[2]), Number(fields[5])];
  return foreground > 0 && foreground !== group;
}

/** The terminal that is our stdin: each key goes to the process as it is, which has a terminal of its own. */
export class OwnTerminal {
  readonly #found: TerminalMode;

  private constructor(found: TerminalMode) {
    this.#found = found;
    this.#makeRaw();
  }

  /** Takes our stdin over, if it is a terminal. From the background this stops us until we are in the foreground. */
  static take(): OwnTerminal | undefined {
    const found = readTerminalMode(STDIN);
    return found && new OwnTerminal(found);
  }

  /** Takes it again after we were stopped, when a shell has made it its own. */
  takeAgain(): void {
    if (this.#isOurs) this.#makeRaw();
  }

  /** Leaves it as it was found. */
  restore(): void {
    if (this.#isOurs) writeTerminalMode(STDIN, this.#found);
  }

  /** It has not been hung up, and is not another's while we are in the background. */
  get #isOurs(): boolean {
    return readTerminalMode(STDIN) !== undefined && !isInBackground();
  }

  #makeRaw(): void {
    writeTerminalMode(STDIN, rawMode(this.#found));
  }

  /** Its size in characters, if anybody has told it. */
  get size(): { rows: number; columns: number } | undefined {
    return readWindowSize(STDIN);
  }
}

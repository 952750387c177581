/** The part of a terminal that raw mode needs. */
export interface RawModeTerminal {
  readonly isTTY?: boolean;
  readonly isRaw?: boolean;
  setRawMode(raw: boolean): unknown;
}

/** The part of a process that tells of its end. */
export interface ExitEvents {
  on(event: "exit", listener: () => void): unknown;
  off(event: "exit", listener: () => void): unknown;
}

/**
 * Puts a terminal into raw mode until the result is disposed of, or the process ends in whatever way it can notice:
 * `process.exit`, an exception that nobody caught, the last event.
 */
export function enterRawMode(terminal: RawModeTerminal, exits: ExitEvents = process): Disposable {
  if (terminal.isRaw) return { [Symbol.dispose]() {} };
  let raw = true;
  const restore = () => {
    if (!raw) return;
    raw = false;
    exits.off("exit", restore);
    restoreMode(terminal);
  };
  exits.on("exit", restore);
  try {
    terminal.setRawMode(true);
  } catch (error) {
    restore();
    throw error;
  }
  return { [Symbol.dispose]: restore };
}

function restoreMode(terminal: RawModeTerminal): void {
  try {
    terminal.setRawMode(false);
  } catch {
    // The terminal itself is gone: there is nothing left to restore.
  }
}

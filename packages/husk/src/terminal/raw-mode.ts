import { spawnSync } from "node:child_process";

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
 * Puts a terminal into raw mode until the result is disposed of, or the process ends in whatever way it can
 * notice: `process.exit`, an exception that nobody caught, the last event.
 *
 * @param passOutput makes the terminal pass output unchanged, which Node's raw mode does not
 */
export function enterRawMode(
  terminal: RawModeTerminal,
  passOutput: () => void = passOutputUnchanged,
  exits: ExitEvents = process,
): Disposable {
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
    passOutput();
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

/**
 * Node's raw mode goes on turning each newline into two characters. The guest's terminal has done that
 * already, if the program there wants it. What is changed here is undone with the rest, as Node restores all
 * that was before.
 */
function passOutputUnchanged(): void {
  spawnSync("stty", ["-opost"], { stdio: ["inherit", "ignore", "ignore"] });
}

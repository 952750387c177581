/** The terminal that a program was given. */
import * as sys from "tiny:sys";
import { TCGETS, TCSETS, TIOCGWINSZ } from "./constants.ts";
import { isSystemError } from "./errors.ts";

/** `struct termios` of the kernel: four words of flags, the line discipline, 19 control characters. */
const TERMIOS_BYTES = 36;
const INPUT_FLAGS = 0;
const OUTPUT_FLAGS = 4;
const CONTROL_FLAGS = 8;
const LOCAL_FLAGS = 12;
const VTIME = 17 + 5;
const VMIN = 17 + 6;

// IGNBRK, BRKINT, PARMRK, ISTRIP, INLCR, IGNCR, ICRNL, IXON
const COOKED_INPUT = 0o1 | 0o2 | 0o10 | 0o40 | 0o100 | 0o200 | 0o400 | 0o2000;
const OPOST = 0o1;
// ISIG, ICANON, ECHO, ECHONL, IEXTEN
const COOKED_LOCAL = 0o1 | 0o2 | 0o10 | 0o100 | 0o100000;
const CSIZE_PARENB = 0o60 | 0o400;
const CS8 = 0o60;

/** How a terminal behaves: what {@link writeTerminalMode} takes. */
export type TerminalMode = Uint8Array;

/** How the terminal behaves; undefined when the descriptor is none. */
export function readTerminalMode(fd: number): TerminalMode | undefined {
  const mode = new Uint8Array(TERMIOS_BYTES);
  try {
    sys.ioctl(fd, TCGETS, mode);
    return mode;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return undefined;
  }
}

/** Makes the terminal behave so, at once. */
export function writeTerminalMode(fd: number, mode: TerminalMode): void {
  sys.ioctl(fd, TCSETS, mode);
}

/** A mode in which each key is input as it is, and output goes out as it is (cfmakeraw). */
export function rawMode(mode: TerminalMode): TerminalMode {
  const raw = mode.slice();
  const view = new DataView(raw.buffer);
  const change = (at: number, clear: number, set = 0) =>
    view.setUint32(at, (view.getUint32(at, true) & ~clear) | set, true);
  change(INPUT_FLAGS, COOKED_INPUT);
  change(OUTPUT_FLAGS, OPOST);
  change(CONTROL_FLAGS, CSIZE_PARENB, CS8);
  change(LOCAL_FLAGS, COOKED_LOCAL);
  raw[VMIN] = 1;
  raw[VTIME] = 0;
  return raw;
}

/** Size of the terminal in characters; undefined when the descriptor is none, or nobody has told it its size. */
export function readWindowSize(fd: number): { rows: number; columns: number } | undefined {
  const size = new Uint8Array(8);
  try {
    sys.ioctl(fd, TIOCGWINSZ, size);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return undefined;
  }
  const view = new DataView(size.buffer);
  const [rows, columns] = [view.getUint16(0, true), view.getUint16(2, true)];
  return rows > 0 && columns > 0 ? { rows, columns } : undefined;
}

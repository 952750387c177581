/** Pseudo terminals. */
import * as sys from "tiny:sys";
import {
  O_CLOEXEC,
  O_NOCTTY,
  O_NONBLOCK,
  O_RDWR,
  TIOCGPTN,
  TIOCGPTPEER,
  TIOCSCTTY,
  TIOCSPTLCK,
  TIOCSWINSZ,
} from "./constants.ts";

/** The agent's side of a terminal. */
export interface Pty {
  /** non-blocking descriptor of the master */
  master: number;
  /** number of the slave: its node is `<devpts>/<number>` */
  number: number;
}

/** Opens a new terminal of the devpts instance mounted at `devpts`. */
export function openPty(devpts: string): Pty {
  const master = sys.open(`${devpts}/ptmx`, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0);
  try {
    const word = new Uint8Array(4);
    sys.ioctl(master, TIOCSPTLCK, word);
    sys.ioctl(master, TIOCGPTN, word);
    return { master, number: new DataView(word.buffer).getUint32(0, true) };
  } catch (error) {
    sys.close(master);
    throw error;
  }
}

/** Opens the slave of a terminal, wherever its node is. */
export function openSlave(master: number): number {
  return sys.ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

/** Sets the size of a terminal, in characters. */
export function setWindowSize(fd: number, rows: number, columns: number): void {
  // struct winsize: rows, columns, and the size in pixels, which nobody knows
  const size = new Uint8Array(8);
  const view = new DataView(size.buffer);
  view.setUint16(0, rows, true);
  view.setUint16(2, columns, true);
  sys.ioctl(fd, TIOCSWINSZ, size);
}

/** Makes the terminal the controlling one of this session, which must be new (`setsid`). */
export function takeTerminal(fd: number): void {
  sys.ioctl(fd, TIOCSCTTY, 0);
}

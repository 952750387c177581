/** Where the terminal of an exec comes from: from its runtime, or from here. */

import * as sys from "tiny:sys";
import {
  accept,
  F_SETFL,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDONLY,
  openPty,
  openSlave,
  rawMode,
  readTerminalMode,
  setWindowSize,
  writeTerminalMode,
} from "@husk/tiny";
import type { TerminalSize } from "@husk/wire/module-shim";
import { listenAt } from "../core/listen-at.ts";

/** Bytes of what a command says that are kept for an error. */
const TEXT_BYTES = 2048;

/** See the head of the file. */
export interface TerminalSource {
  /** stdin, stdout and stderr of the command that starts the process */
  readonly commandEnds: number[];
  /** Gives the terminal's master, non-blocking, when that command has ended. It is the caller's then. @throws Error */
  takeMaster(): number;
  /** What the command has said. */
  readText(): string;
  close(): void;
}

/** One that a runtime makes, in the container, and sends to a socket. */
export class RuntimeTerminal implements TerminalSource {
  readonly commandEnds: number[];
  readonly #listener: number;
  readonly #said: number;

  /** @param path of the socket, which its owner removes */
  constructor(path: string) {
    this.#listener = listenAt(path, 1);
    const [reader, writer] = sys.pipe2(O_CLOEXEC);
    sys.fcntl(reader, F_SETFL, O_NONBLOCK);
    this.#said = reader;
    this.commandEnds = [sys.open("/dev/null", O_RDONLY | O_CLOEXEC, 0), writer, writer];
  }

  /** It was sent before the command ended: what waits here keeps it. */
  takeMaster(): number {
    const connection = accept(this.#listener);
    if (connection === undefined) throw new Error("the runtime has handed over no terminal");
    try {
      const master = sys.receiveDescriptor(connection);
      if (master < 0) throw new Error("the runtime has handed over no terminal");
      sys.fcntl(master, F_SETFL, O_NONBLOCK);
      return master;
    } finally {
      sys.close(connection);
    }
  }

  readText(): string {
    return readText(this.#said);
  }

  close(): void {
    sys.close(this.#listener);
    sys.close(this.#said);
  }
}

/** One of the host's, which changes nothing of what goes through it: what its other end stands for has one of its own. */
export class HostTerminal implements TerminalSource {
  readonly commandEnds: number[];
  #master: number | undefined;

  constructor(size: TerminalSize) {
    const { master } = openPty("/dev");
    this.#master = master;
    const slave = openSlave(master);
    const mode = readTerminalMode(slave);
    if (mode) writeTerminalMode(slave, rawMode(mode));
    setWindowSize(master, size.rows, size.columns);
    this.commandEnds = [slave, slave, slave];
  }

  takeMaster(): number {
    const master = this.#master;
    if (master === undefined) throw new Error("the terminal was taken");
    this.#master = undefined;
    return master;
  }

  readText(): string {
    return this.#master === undefined ? "" : readText(this.#master);
  }

  close(): void {
    if (this.#master !== undefined) sys.close(this.#master);
    this.#master = undefined;
  }
}

function readText(fd: number): string {
  const bytes = new Uint8Array(TEXT_BYTES);
  return sys.decodeUtf8(bytes.subarray(0, Math.max(0, sys.read(fd, bytes, 0, bytes.length))));
}

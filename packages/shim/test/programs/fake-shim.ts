/**
 * A shim whose link leads to a test instead of a guest: `fake-shim CONTROL-FD ATTACH-PATH|- [kata-shim's flags]`. On the control
 * descriptor, JSON lines go both ways.
 */
import * as sys from "tiny:sys";
import { callSoon, EPOLLIN, listenUnix, watch, writeAll } from "@husk/tiny";
import { readCommandLine } from "../../src/core/command-line.ts";
import { KATA_SIGNALS } from "../../src/core/forwarded-signals.ts";
import type { LinkEvents, OutputName, OutputPositions, ProcessLink } from "../../src/core/process-link.ts";
import { runShim } from "../../src/core/run-shim.ts";
import { KATA_COMMAND_LINE } from "../../src/kata/options.ts";

/** What the test tells the link. */
interface Order {
  output?: OutputName;
  hex?: string;
  text?: string;
  end?: OutputName;
  exit?: number;
  lost?: string;
  refused?: string;
  /** takes the input that it has, and from then on all at once */
  taking?: boolean;
  /** makes so many bytes of lines, with at most `window` of them not written */
  produce?: number;
  window?: number;
  crash?: boolean;
}

const LINE = sys.encodeUtf8(
  "0123456 a line of an ordinary length, as a program writes them to tell of itself.\n",
);
const NUMBER_DIGITS = 7;
const PIECE_LINES = 300;

class FakeLink implements ProcessLink {
  readonly #control: number;
  readonly #events: LinkEvents;
  #rest = "";
  #taken: (() => void) | undefined;
  #isTaking = false;

  constructor(control: number, events: LinkEvents) {
    this.#control = control;
    this.#events = events;
  }

  start(received: OutputPositions): void {
    this.#report({ start: received });
    watch(this.#control, EPOLLIN, () => this.#read());
  }

  writeStdin(data: Uint8Array, taken: () => void): void {
    this.#report({ stdin: [...data].map((byte) => byte.toString(16).padStart(2, "0")).join("") });
    if (this.#isTaking) taken();
    else this.#taken = taken;
  }

  closeStdin(): void {
    this.#report({ closeStdin: true });
  }

  signal(signal: number): void {
    this.#report({ signal });
  }

  resize(rows: number, columns: number): void {
    this.#report({ resize: [rows, columns] });
  }

  close(): void {
    this.#report({ close: true });
  }

  #report(what: object): void {
    writeAll(this.#control, sys.encodeUtf8(`${JSON.stringify(what)}\n`));
  }

  #read(): void {
    const bytes = new Uint8Array(65536);
    const count = sys.read(this.#control, bytes, 0, bytes.length);
    if (count <= 0) {
      this.#events.onLost("the test has gone");
      return;
    }
    const lines = (this.#rest + sys.decodeUtf8(bytes.subarray(0, count))).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#obey(JSON.parse(line) as Order);
  }

  #obey(order: Order): void {
    if (order.output) this.#output(order.output, order);
    if (order.end) this.#events.onOutputEnd(order.end);
    if (order.produce) this.#produce(order.produce, order.window ?? 262_144);
    if (order.exit !== undefined) this.#events.onExit(order.exit);
    if (order.lost !== undefined) this.#events.onLost(order.lost);
    if (order.refused !== undefined) this.#events.onRefused(order.refused);
    if (order.crash) throw new Error("nobody expected this");
    if (!order.taking) return;
    this.#isTaking = true;
    this.#taken?.();
  }

  #output(name: OutputName, { hex, text = "" }: Order): void {
    const bytes = hex === undefined ? sys.encodeUtf8(text) : fromHex(hex);
    this.#events.onOutput(name, bytes, () => this.#report({ written: name, bytes: bytes.length }));
    // The bytes were ours again.
    bytes.fill(120);
  }

  /** Numbered lines, a piece of them in each turn while the window lets it. */
  #produce(bytes: number, window: number): void {
    let [made, written, isMaking] = [0, 0, false];
    const piece = new Uint8Array(PIECE_LINES * LINE.length);
    const make = () => {
      isMaking = false;
      const lines = Math.min(PIECE_LINES, Math.floor((bytes - made) / LINE.length));
      if (lines === 0) return;
      for (let line = 0; line < lines; line++) writeLine(piece, line, made / LINE.length + line);
      const size = lines * LINE.length;
      made += size;
      this.#events.onOutput("stdout", piece.subarray(0, size), () => {
        written += size;
        if (written + LINE.length > bytes) this.#report({ produced: written });
        soon();
      });
      soon();
    };
    const soon = () => {
      if (isMaking || made - written >= window) return;
      isMaking = true;
      callSoon(make);
    };
    soon();
  }
}

function writeLine(piece: Uint8Array, line: number, number: number): void {
  const at = line * LINE.length;
  piece.set(LINE, at);
  piece.set(sys.encodeUtf8(String(number).padStart(NUMBER_DIGITS, "0")), at);
}

function fromHex(digits: string): Uint8Array {
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

const [, control = "", attachPath = "-", ...args] = sys.argv;
const needed = ["-agent", "/none", "-container", "web", "-exec-id", "web"];
const options = readCommandLine(KATA_COMMAND_LINE, [...needed, ...args]);
if (attachPath !== "-") options.attachFd = listenUnix(attachPath, 128);
runShim(options, {
  program: "fake-shim",
  signals: KATA_SIGNALS,
  makeLink: (events) => new FakeLink(Number(control), events),
});

import * as sys from "tiny:sys";
import { callSoon, timeNow } from "@husk/tiny";
import { LogFiles } from "./log-files.ts";
import type { OutputTarget } from "./output-target.ts";
import type { OutputName, OutputPositions } from "./process-link.ts";
import type { LogOptions } from "./shim-options.ts";

/** Most bytes of output in one entry. */
const ENTRY_BYTES = 16 * 1024;
/** Bytes of entries that are written at a time: the longest entry has room. */
const BATCH_BYTES = 128 * 1024;
/** Most bytes of a character that has not come as a whole. */
const UNFINISHED_BYTES = 3;
/** Room that so many bytes need at most beside the entry's head. */
const UNFINISHED_ROOM = 128;

const NOTHING = new Uint8Array(0);

/** What is known of an output. */
interface LoggedOutput {
  /** bytes whose entries are made */
  formatted: number;
  /** bytes whose entries are in the file, or were dropped */
  written: number;
  /** the beginning of a character whose rest has not come */
  unfinished: Uint8Array;
  /** told when that is written */
  waiting: (() => void)[];
}

/**
 * Writes output as JSON lines, what comes in a turn of the loop at a time. The process never waits for the log: what a
 * file system does not take is dropped, and an entry of the stream "shim" tells of it when there is room again.
 */
export class LogWriter implements OutputTarget {
  readonly #files: LogFiles;
  readonly #outputs: Record<OutputName, LoggedOutput>;
  /** entries that are not written yet; not kept while there are none */
  #batch: Uint8Array | undefined;
  #batchBytes = 0;
  /** told when the batch is written */
  #waiting: (() => void)[] = [];
  #flushesSoon = false;
  /** bytes of output that were dropped, and why */
  #lost = 0;
  #lostReason = "";

  /** Opens the log and goes on behind what is in it. @throws SystemError when it cannot */
  constructor(options: LogOptions) {
    this.#files = new LogFiles(options);
    const { stdout, stderr } = this.#files.findPositions();
    this.#outputs = { stdout: outputAt(stdout), stderr: outputAt(stderr) };
  }

  get positions(): OutputPositions {
    return { stdout: this.#outputs.stdout.written, stderr: this.#outputs.stderr.written };
  }

  write(name: OutputName, data: Uint8Array, written: () => void): void {
    const output = this.#outputs[name];
    const input = join(output.unfinished, data);
    const end = this.#format(name, input, false);
    if (end >= output.unfinished.length) this.#waiting.push(...output.waiting.splice(0));
    output.unfinished = end < input.length ? input.slice(end) : NOTHING;
    (end < input.length ? output.waiting : this.#waiting).push(written);
    this.#flushSoon();
  }

  end(name: OutputName): void {
    const output = this.#outputs[name];
    this.#format(name, output.unfinished, true);
    output.unfinished = NOTHING;
    this.#waiting.push(...output.waiting.splice(0));
    this.#flushSoon();
  }

  finish(done: () => void): void {
    this.end("stdout");
    this.end("stderr");
    this.flush();
    if (this.#lost > 0) this.#writeBatch();
    done();
  }

  close(): void {
    // The file is closed with the process.
  }

  flush(): void {
    if (this.#batchBytes > 0) this.#writeBatch();
    this.#batch = undefined;
    for (const told of this.#waiting.splice(0)) told();
  }

  #flushSoon(): void {
    if (this.#flushesSoon) return;
    this.#flushesSoon = true;
    callSoon(() => {
      this.#flushesSoon = false;
      this.flush();
    });
  }

  /** Makes entries of what is a whole character; gives how many bytes that is. */
  #format(name: OutputName, input: Uint8Array, final: boolean): number {
    const output = this.#outputs[name];
    const head = sys.encodeUtf8(`{"time":"${timeNow()}","stream":"${name}","offset":`);
    let at = 0;
    while (at < input.length) {
      this.#batch ??= new Uint8Array(BATCH_BYTES);
      const from = at;
      [at, this.#batchBytes] = sys.jsonLines(
        ...([input, at, this.#batch, this.#batchBytes, head] as const),
        ...([output.formatted, ENTRY_BYTES, final] as const),
      );
      output.formatted += at - from;
      const hasRoom = this.#batch.length - this.#batchBytes > head.length + UNFINISHED_ROOM;
      if (input.length - at <= UNFINISHED_BYTES && hasRoom) break;
      this.#writeBatch();
    }
    return at;
  }

  #writeBatch(): void {
    const lines = this.#batch?.subarray(0, this.#batchBytes) ?? NOTHING;
    const news = this.#lost > 0 ? join(this.#lossEntry(), lines) : lines;
    const before = this.positions;
    const failure = this.#files.append(news, before, this.#lost > 0);
    this.#batchBytes = 0;
    for (const output of Object.values(this.#outputs)) output.written = output.formatted;
    if (failure === undefined) {
      this.#lost = 0;
      return;
    }
    const { stdout, stderr } = this.positions;
    this.#lost += stdout - before.stdout + stderr - before.stderr;
    this.#lostReason = failure;
  }

  #lossEntry(): Uint8Array {
    const entry = {
      time: timeNow(),
      stream: "shim",
      offset: 0,
      log: `${this.#lost} bytes of output were lost: ${this.#lostReason}\n`,
    };
    return sys.encodeUtf8(`${JSON.stringify(entry)}\n`);
  }
}

function outputAt(position: number): LoggedOutput {
  return { formatted: position, written: position, unfinished: NOTHING, waiting: [] };
}

function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

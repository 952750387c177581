import type { Writable } from "node:stream";
import type { LogEntry, LogStream } from "@husk/virtcontainers";

/** How entries of a log are shown. */
export interface LogForm {
  /** before each line, when it came */
  timestamps: boolean;
  /** each entry as a line of JSON, on the first output */
  json: boolean;
}

/** What is gathered before it is written, in bytes. */
const BATCH_BYTES = 64 * 1024;
const NEWLINE = 10;

/**
 * Writes entries of a log where they came from: errors to the second output, and what the shim says. Entries that come at once are
 * written at once.
 */
export class LogPrinter {
  readonly #outputs: Readonly<Record<LogStream, Writable>>;
  readonly #form: LogForm;
  /** streams in the middle of a line */
  readonly #inLine = new Set<LogStream>();
  #output: Writable | undefined;
  #batch: Uint8Array[] = [];
  #batchBytes = 0;
  #timer: NodeJS.Immediate | undefined;

  constructor(form: LogForm, stdout: Writable = process.stdout, stderr: Writable = process.stderr) {
    this.#form = form;
    this.#outputs = { stdout, stderr: form.json ? stdout : stderr, shim: form.json ? stdout : stderr };
  }

  /** Settles when more can be taken. */
  async print(entry: LogEntry): Promise<void> {
    const output = this.#outputs[entry.stream];
    if (output !== this.#output) await this.flush();
    this.#output = output;
    for (const piece of this.#render(entry)) {
      this.#batch.push(piece);
      this.#batchBytes += piece.length;
    }
    if (this.#batchBytes >= BATCH_BYTES || output.writableNeedDrain) await this.flush();
    else this.#timer ??= setImmediate(() => void this.flush());
  }

  /** Writes what has been gathered; settles when the output has taken it, or is broken. */
  async flush(): Promise<void> {
    clearImmediate(this.#timer);
    this.#timer = undefined;
    if (!this.#output || this.#batch.length === 0) return;
    const bytes = Buffer.concat(this.#batch);
    this.#batch = [];
    this.#batchBytes = 0;
    await new Promise<void>((resolve) => this.#output?.write(bytes, () => resolve()));
  }

  #render(entry: LogEntry): Uint8Array[] {
    const { stream, data, time } = entry;
    if (this.#form.json) return [Buffer.from(`${renderEntryJson(entry)}\n`)];
    const isContinued = this.#inLine.has(stream);
    if (data.at(-1) === NEWLINE) this.#inLine.delete(stream);
    else this.#inLine.add(stream);
    const before = stream === "shim" && !isContinued ? "husk: " : "";
    const stamp = this.#form.timestamps && !isContinued ? `${time.toISOString()} ` : "";
    return [Buffer.from(`${stamp}${before}`), data];
  }
}

/** An entry as it stands in the log. */
function renderEntryJson({ time, stream, offset, data }: LogEntry): string {
  const text = Buffer.from(data).toString();
  const content = Buffer.from(text).equals(data)
    ? { log: text }
    : { base64: Buffer.from(data).toString("base64") };
  return JSON.stringify({ time: time.toISOString(), stream, offset, ...content });
}

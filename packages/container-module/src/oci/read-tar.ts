import { messageOf } from "@husk/virtcontainers/internals";
import { Parser } from "tar/parse";
import type { ReadEntry } from "tar/read-entry";
import { invalidImage } from "./invalid-image.ts";

/**
 * Gives the entries of a tar, each when the one before has been read to its end.
 * @throws HuskError ERR_IMAGE_INVALID; what `tar` throws
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<ReadEntry> {
  const events = new Events();
  const parser = new Parser({
    strict: true,
    onReadEntry: (entry) => events.put(entry),
  });
  parser.on("error", (error) => events.fail(invalidImage(`a layer is no tar: ${messageOf(error)}`, error)));
  parser.on("ignoredEntry", (entry: ReadEntry) =>
    events.fail(invalidImage(`a layer has ${JSON.stringify(entry.path)}, of the kind ${entry.type}`)),
  );
  parser.on("end", () => events.end());
  const feeding = feed(parser, source, events);
  try {
    yield* events;
  } finally {
    events.end();
    await feeding;
  }
}

async function feed(parser: Parser, source: AsyncIterable<Uint8Array>, events: Events): Promise<void> {
  try {
    for await (const chunk of source) {
      if (events.ended) return;
      if (!parser.write(chunk))
        await Promise.race([new Promise((resolve) => parser.once("drain", resolve)), events.over]);
    }
    parser.end();
  } catch (error) {
    events.fail(error);
  }
}

/** Entries on their way from who finds them to who reads them. */
class Events implements AsyncIterable<ReadEntry> {
  /** fulfilled when nobody reads any more */
  readonly over: Promise<void>;
  #finish: () => void = () => {};
  #wake: () => void = () => {};
  readonly #entries: ReadEntry[] = [];
  #fault: { readonly error: unknown } | undefined;
  ended = false;

  constructor() {
    this.over = new Promise((resolve) => (this.#finish = resolve));
  }

  put(entry: ReadEntry): void {
    this.#entries.push(entry);
    this.#wake();
  }

  fail(error: unknown): void {
    this.#fault ??= { error };
    this.end();
  }

  end(): void {
    this.ended = true;
    this.#finish();
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ReadEntry> {
    for (;;) {
      if (this.#fault) throw this.#fault.error;
      const entry = this.#entries.shift();
      if (entry) yield entry;
      else if (this.ended) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

import type { Readable } from "node:stream";

/** Collects a stream, and lets tests wait for something to appear in it. */
export class CollectedOutput {
  readonly #chunks: Buffer[] = [];
  readonly #watchers = new Set<() => void>();
  #ended = false;

  constructor(stream: Readable) {
    stream.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#tell();
    });
    stream.on("close", () => {
      this.#ended = true;
      this.#tell();
    });
  }

  /** All that has come so far. */
  bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** All that has come so far, as text. */
  text(): string {
    return this.bytes().toString();
  }

  /** Waits until `pattern` matches what has come; fails when the stream ends before. */
  async waitFor(pattern: RegExp): Promise<RegExpMatchArray> {
    for (;;) {
      const match = this.text().match(pattern);
      if (match !== null) return match;
      if (this.#ended) throw new Error(`the output ended without ${pattern}: ${JSON.stringify(this.text())}`);
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#watchers.add(resolve);
      await promise;
      this.#watchers.delete(resolve);
    }
  }

  #tell(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}

import type { Process } from "@husk/wire/kata";
import { StatusCode, TtrpcError } from "@husk/wire/ttrpc";

/** Output of a process that waits to be read. */
class FakeOutput {
  #kept: Uint8Array = new Uint8Array(0);
  #ended = false;
  #wake = Promise.withResolvers<void>();

  /** bytes that wait */
  get length(): number {
    return this.#kept.length;
  }

  write(data: Uint8Array): void {
    this.#kept = Buffer.concat([this.#kept, data]);
    this.#change();
  }

  end(): void {
    this.#ended = true;
    this.#change();
  }

  /** @throws TtrpcError at the end, as agents do */
  async read(length: number): Promise<Uint8Array> {
    while (this.#kept.length === 0 && !this.#ended) await this.#wake.promise;
    if (this.#kept.length === 0) throw new TtrpcError(StatusCode.UNKNOWN, "EOF");
    const data = this.#kept.slice(0, length);
    this.#kept = this.#kept.slice(length);
    return data;
  }

  #change(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }
}

/** A process of a fake agent. */
export class FakeKataProcess {
  readonly containerId: string;
  readonly execId: string;
  readonly request: Process | undefined;
  readonly stdout = new FakeOutput();
  readonly stderr = new FakeOutput();
  readonly #ended = Promise.withResolvers<number>();
  /** is given what is written to it; nothing at the end */
  onStdin: (data: Uint8Array) => void = () => {};
  onSignal: (signal: number) => void = (signal) => this.exit(128 + signal);

  constructor(containerId: string, execId: string, request: Process | undefined) {
    this.containerId = containerId;
    this.execId = execId;
    this.request = request;
  }

  /** its exit status */
  get ended(): Promise<number> {
    return this.#ended.promise;
  }

  out(data: string | Uint8Array): void {
    this.stdout.write(typeof data === "string" ? Buffer.from(data) : data);
  }

  err(text: string): void {
    this.stderr.write(Buffer.from(text));
  }

  exit(status: number): void {
    this.stdout.end();
    this.stderr.end();
    this.#ended.resolve(status);
  }
}

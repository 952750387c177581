import { Stream } from "./stream.ts";
import { YamuxError } from "./yamux-error.ts";

/** Number of the last stream there can be: two below, so that counting on stays a u32. */
const MAX_STREAM_ID = 0xffff_fffd;

/** What the streams need to send. */
interface StreamOutlet {
  /** bytes the peer may have on their way to us, per stream */
  windowBytes: number;
  isBlocked(): boolean;
  sendData(frame: Uint8Array): void;
  sendControl(frame: Uint8Array): void;
}

/** How many streams there may be, and of which numbers. */
interface StreamBounds {
  role: "client" | "server";
  maxStreams: number;
  acceptBacklog: number;
}

/** The streams that live, those nobody has accepted yet, and those that wait to write. */
export class StreamTable {
  readonly #bounds: StreamBounds;
  readonly #streams = new Map<number, Stream>();
  readonly #outgoingUnaccepted = new Set<Stream>();
  readonly #incomingUnaccepted = new Set<Stream>();
  /** who could not write all, the longest unserved first */
  readonly #waiting = new Set<Stream>();
  readonly #makeStream: (id: number, incoming: boolean) => Stream;
  #nextId: number;

  constructor(bounds: StreamBounds, outlet: StreamOutlet) {
    this.#bounds = bounds;
    this.#nextId = bounds.role === "client" ? 1 : 2;
    const host = {
      windowBytes: outlet.windowBytes,
      get blocked() {
        return outlet.isBlocked();
      },
      sendData: outlet.sendData,
      sendControl: outlet.sendControl,
      setWaiting: (stream: Stream, waiting: boolean, served: boolean) => {
        // Who was served goes to the end, so that each gets its turn at a sink that is often full.
        if (!waiting || served) this.#waiting.delete(stream);
        if (waiting) this.#waiting.add(stream);
      },
      setAccepted: (stream: Stream) => {
        this.#incomingUnaccepted.delete(stream);
        this.#outgoingUnaccepted.delete(stream);
      },
      forget: (stream: Stream) => {
        if (this.#streams.get(stream.id) === stream) this.#streams.delete(stream.id);
        this.#incomingUnaccepted.delete(stream);
        this.#outgoingUnaccepted.delete(stream);
      },
    };
    this.#makeStream = (id, incoming) => new Stream(id, incoming, host);
  }

  get size(): number {
    return this.#streams.size;
  }

  /** true when no stream of the peer can be added */
  get full(): boolean {
    return (
      this.size >= this.#bounds.maxStreams || this.#incomingUnaccepted.size >= this.#bounds.acceptBacklog
    );
  }

  get(id: number): Stream | undefined {
    return this.#streams.get(id);
  }

  isWaiting(stream: Stream): boolean {
    return this.#waiting.has(stream);
  }

  /** The streams that wait and have a window, the longest unserved first. */
  waiting(): Stream[] {
    return [...this.#waiting].filter((stream) => stream.room > 0);
  }

  /** A stream of ours. @throws YamuxError with `code` ERR_YAMUX_REFUSED when there are too many */
  open(): Stream {
    const { maxStreams, acceptBacklog } = this.#bounds;
    if (this.size >= maxStreams) throw new YamuxError("ERR_YAMUX_REFUSED", `${maxStreams} streams are open`);
    if (this.#outgoingUnaccepted.size >= acceptBacklog) {
      throw new YamuxError("ERR_YAMUX_REFUSED", `${acceptBacklog} streams wait for the peer to accept them`);
    }
    const id = this.#nextId;
    if (id > MAX_STREAM_ID) throw new YamuxError("ERR_YAMUX_REFUSED", "all numbers of streams are used");
    this.#nextId += 2;
    const stream = this.#makeStream(id, false);
    this.#streams.set(id, stream);
    this.#outgoingUnaccepted.add(stream);
    return stream;
  }

  /** The peer begins a stream with this number. @throws YamuxError with `code` ERR_YAMUX_PROTOCOL if it may not */
  checkPeersId(id: number): void {
    const odd = id % 2 === 1;
    if (id === 0 || odd !== (this.#bounds.role === "server")) {
      throw new YamuxError(
        "ERR_YAMUX_PROTOCOL",
        `a stream begins with number ${id}, which is not the peer's`,
      );
    }
    if (this.#streams.has(id)) throw new YamuxError("ERR_YAMUX_PROTOCOL", `stream ${id} begins twice`);
  }

  /** A stream of the peer's, not accepted yet. */
  add(id: number): Stream {
    const stream = this.#makeStream(id, true);
    this.#streams.set(id, stream);
    this.#incomingUnaccepted.add(stream);
    return stream;
  }

  /** All streams, which leave the table. */
  takeAll(): Stream[] {
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    this.#waiting.clear();
    return streams;
  }
}

import { encodeHeader, Flag, FrameType } from "./frame.ts";
import { HEADER_BYTES, INITIAL_WINDOW_BYTES, MAX_DATA_BYTES, MAX_WINDOW_BYTES } from "./limits.ts";
import { YamuxError } from "./yamux-error.ts";

/** One stream of a session: bytes both ways, each way ended on its own. */
export interface YamuxStream {
  /** odd when the client opened it, even when the server did */
  readonly id: number;
  /** true until `close()` or a reset: `write` may be called */
  readonly writable: boolean;
  /** bytes that `write` takes now */
  readonly room: number;
  /**
   * Sends as much as the peer's window and the sink take, and gives how many bytes that were; they are copied. When
   * it is less than `length`, a "writable" event tells when to go on. Gives 0 after a reset.
   * @throws YamuxError with `code` ERR_YAMUX_ENDED after `close()`.
   */
  write(bytes: Uint8Array, offset?: number, length?: number): number;
  /**
   * The header of a frame whose data the caller sends itself, right behind it and past the session's sink.
   * @throws RangeError when there are more than `room`.
   */
  announce(length: number): Uint8Array;
  /**
   * Says that data of "data" events are used, so that the peer may send as many again. It is told when they make half
   * of the window.
   * @throws RangeError when more are used than came.
   */
  consume(bytes: number): void;
  /** Takes a stream that the peer opened. Whatever else is sent on it does so too. */
  accept(): void;
  /** Ends our side: no more is written, but the peer may go on. */
  close(): void;
  /** Ends both sides at once, or refuses a stream that the peer opened. What comes of it still is dropped. */
  reset(): void;
}

/** What a stream needs of its session. */
export interface StreamHost {
  /** bytes the peer may have on their way to us, per stream */
  readonly windowBytes: number;
  /** true while the sink takes nothing */
  readonly blocked: boolean;
  sendData(frame: Uint8Array): void;
  sendControl(frame: Uint8Array): void;
  /** The stream wrote less than it was to (`served`: more than nothing), or all. */
  setWaiting(stream: Stream, waiting: boolean, served: boolean): void;
  /** The peer's stream is accepted or refused now. */
  setAccepted(stream: Stream): void;
  /** Nothing more comes of the stream. */
  forget(stream: Stream): void;
}

/** The state behind {@link YamuxStream}; what the session does with it is not for others. */
export class Stream implements YamuxStream {
  readonly id: number;
  /** true when the peer opened it */
  readonly incoming: boolean;
  readonly #host: StreamHost;
  /** flags that the next frame must carry: SYN of ours, ACK of theirs */
  #greeting: number;
  #acknowledged = false;
  #localOpen = true;
  #remoteOpen = true;
  #dead = false;
  /** bytes the peer takes still */
  #sendWindow = INITIAL_WINDOW_BYTES;
  /** bytes the peer may send still */
  #receiveWindow = INITIAL_WINDOW_BYTES;
  /** bytes that came and are not used */
  #unused = 0;

  constructor(id: number, incoming: boolean, host: StreamHost) {
    this.id = id;
    this.incoming = incoming;
    this.#host = host;
    this.#greeting = incoming ? Flag.ACK : Flag.SYN;
    if (!incoming) this.#sendWindowUpdate();
  }

  get writable(): boolean {
    return this.#localOpen && !this.#dead;
  }

  get room(): number {
    return this.writable && !this.#host.blocked ? this.#sendWindow : 0;
  }

  /** true until the peer ended its side */
  get readable(): boolean {
    return this.#remoteOpen;
  }

  /** bytes the peer may send still */
  get receiveWindow(): number {
    return this.#receiveWindow;
  }

  write(bytes: Uint8Array, offset = 0, length = bytes.length - offset): number {
    if (!(offset >= 0 && length >= 0 && offset + length <= bytes.length)) {
      throw new RangeError("the bytes to write lie outside of their array");
    }
    if (this.#dead) return 0;
    if (!this.#localOpen) throw new YamuxError("ERR_YAMUX_ENDED", `stream ${this.id} is closed for writing`);
    let sent = 0;
    while (sent < length && this.room > 0) {
      const count = Math.min(length - sent, this.room, MAX_DATA_BYTES);
      this.#sendData(bytes.subarray(offset + sent, offset + sent + count));
      sent += count;
    }
    this.#host.setWaiting(this, sent < length, sent > 0);
    return sent;
  }

  announce(length: number): Uint8Array {
    if (length > this.room) throw new RangeError(`${length} bytes are announced, for which there is no room`);
    this.#sendWindow -= length;
    return this.#dataHeader(length);
  }

  consume(bytes: number): void {
    if (!Number.isInteger(bytes) || bytes < 0 || bytes > this.#unused) {
      throw new RangeError(`${bytes} bytes cannot be used of ${this.#unused}`);
    }
    this.#unused -= bytes;
    if (!this.#remoteOpen || this.#dead) return;
    const used = this.#host.windowBytes - this.#receiveWindow - this.#unused;
    if (used > 0 && used >= this.#host.windowBytes / 2) this.#sendWindowUpdate();
  }

  accept(): void {
    if (this.incoming && !this.#dead && this.#greeting !== 0) this.#sendWindowUpdate();
  }

  close(): void {
    if (!this.writable) return;
    this.#localOpen = false;
    this.#host.setWaiting(this, false, false);
    this.#sendControl(FrameType.WINDOW_UPDATE, Flag.FIN, 0);
    this.#forgetWhenDone();
  }

  reset(): void {
    if (this.#dead) return;
    // A stream that both sides have ended is unknown to the peer.
    const known = this.#localOpen || this.#remoteOpen;
    this.die();
    if (known) this.#sendControl(FrameType.WINDOW_UPDATE, Flag.RST, 0);
  }

  /** The peer takes the stream that we opened. True the first time. */
  acknowledge(): boolean {
    if (this.incoming || this.#acknowledged) return false;
    this.#acknowledged = true;
    this.#host.setAccepted(this);
    return true;
  }

  /** The peer's window grows. @throws YamuxError with `code` ERR_YAMUX_WINDOW above what a window can be */
  grant(bytes: number): void {
    this.#sendWindow += bytes;
    if (this.#sendWindow <= MAX_WINDOW_BYTES) return;
    throw new YamuxError("ERR_YAMUX_WINDOW", `stream ${this.id} was given a window of ${this.#sendWindow}`);
  }

  /** Data arrived; the session has compared them with the window. */
  receive(bytes: number): void {
    this.#receiveWindow -= bytes;
    this.#unused += bytes;
  }

  /** The peer ended its side. */
  endRemote(): void {
    this.#remoteOpen = false;
    this.#forgetWhenDone();
  }

  /** Both sides are over, without a word to the peer. */
  die(): void {
    this.#dead = true;
    this.#host.setAccepted(this);
    this.#host.setWaiting(this, false, false);
    this.#host.forget(this);
  }

  #forgetWhenDone(): void {
    if (!this.#localOpen && !this.#remoteOpen) this.#host.forget(this);
  }

  #sendData(data: Uint8Array): void {
    const frame = this.#dataHeader(data.length, data.length);
    frame.set(data, HEADER_BYTES);
    this.#sendWindow -= data.length;
    this.#host.sendData(frame);
  }

  /** The header of a frame of data, with so much room behind it. */
  #dataHeader(length: number, roomBytes = 0): Uint8Array {
    const flags = this.#takeGreeting();
    return encodeHeader({ type: FrameType.DATA, flags, streamId: this.id, length }, roomBytes);
  }

  /** Brings the peer's window to its full size less what waits here; also what opens and accepts a stream. */
  #sendWindowUpdate(): void {
    const grown = this.#host.windowBytes - this.#receiveWindow - this.#unused;
    this.#receiveWindow += grown;
    this.#sendControl(FrameType.WINDOW_UPDATE, 0, grown);
  }

  #sendControl(type: number, flags: number, length: number): void {
    // What refuses a stream does not accept it.
    const greeting = flags & Flag.RST ? 0 : this.#takeGreeting();
    this.#host.sendControl(encodeHeader({ type, flags: flags | greeting, streamId: this.id, length }));
  }

  #takeGreeting(): number {
    const flags = this.#greeting;
    this.#greeting = 0;
    if (flags === Flag.ACK) this.#host.setAccepted(this);
    return flags;
  }
}

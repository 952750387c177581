import type { YamuxEvent } from "./events.ts";
import type { FrameHeader } from "./frame.ts";
import { encodeHeader, Flag, FrameType, GoAway, VERSION } from "./frame.ts";
import { FrameReader } from "./frame-reader.ts";
import { ACCEPT_BACKLOG, INITIAL_WINDOW_BYTES, MAX_PINGS, MAX_STREAMS, MAX_WINDOW_BYTES } from "./limits.ts";
import type { Sink } from "./outlet.ts";
import { Outlet } from "./outlet.ts";
import type { Stream, YamuxStream } from "./stream.ts";
import { StreamTable } from "./stream-table.ts";
import { YamuxError } from "./yamux-error.ts";

/** How a session is made. */
export interface YamuxOptions {
  /** the client's streams are odd, the server's even; the one that connected is the client */
  role: "client" | "server";
  /** where frames go; must not call back into the session */
  sink: Sink;
  /** what the peer may send of a stream before it is used, in bytes; at least and by default 256 KiB */
  windowBytes?: number;
  /** most streams that live at a time; 1024 by default. More of the peer's are refused */
  maxStreams?: number;
  /** most streams of one side that wait to be accepted; 256 by default, as in hashicorp's library */
  acceptBacklog?: number;
}

/**
 * One side of a yamux connection, version 0, without I/O: bytes in, events out, frames to a sink. Speaks with
 * hashicorp's library, which is what Kata's 1.x agent and proxy use.
 *
 * No data are kept here. What arrives is handed out at once, at most a window per stream until it is used; what the
 * peer does not take stays with its writer.
 */
export class YamuxSession {
  readonly #outlet: Outlet;
  readonly #reader = new FrameReader();
  readonly #table: StreamTable;
  #events: YamuxEvent[] = [];
  #over = false;
  #localAway = false;
  #remoteAway = false;
  /** stream of the data frame that is arriving; undefined when its data are dropped */
  #receiving: Stream | undefined;
  /** the frame that is arriving ends its stream */
  #ending = false;
  #nextPing = 0;
  readonly #pings = new Set<number>();

  constructor(options: YamuxOptions) {
    const { windowBytes = INITIAL_WINDOW_BYTES, maxStreams = MAX_STREAMS } = options;
    if (!(windowBytes >= INITIAL_WINDOW_BYTES && windowBytes <= MAX_WINDOW_BYTES)) {
      throw new RangeError(`a window is at least ${INITIAL_WINDOW_BYTES} bytes`);
    }
    const outlet = new Outlet(options.sink);
    this.#outlet = outlet;
    const { acceptBacklog = ACCEPT_BACKLOG } = options;
    this.#table = new StreamTable(
      { role: options.role, maxStreams, acceptBacklog },
      {
        windowBytes,
        isBlocked: () => outlet.blocked,
        sendData: (frame) => outlet.send(frame),
        sendControl: (frame) => this.#sendControl(frame),
      },
    );
  }

  /** streams that live */
  get streamCount(): number {
    return this.#table.size;
  }

  /** true when the session is over */
  get over(): boolean {
    return this.#over;
  }

  /** Takes the next bytes, in pieces of any size, and tells what they mean. Once the session is over, nothing. */
  feed(chunk: Uint8Array): YamuxEvent[] {
    try {
      for (const part of this.#reader.read(this.#over ? chunk.subarray(0, 0) : chunk)) {
        if (part.kind === "header") this.#takeHeader(part.header);
        else this.#takeData(part.data, part.last);
        if (this.#over) break;
      }
    } catch (error) {
      if (!(error instanceof YamuxError)) throw error;
      this.#fail(error, GoAway.PROTOCOL_ERROR);
    }
    return this.#takeEvents();
  }

  /** Says that the sink takes frames again; gives who may write. */
  resume(): YamuxEvent[] {
    if (this.#over) return this.#takeEvents();
    this.#outlet.resume();
    if (!this.#outlet.blocked) {
      for (const stream of this.#table.waiting()) this.#events.push({ kind: "writable", stream });
    }
    return this.#takeEvents();
  }

  /**
   * Opens a stream, which may be written to at once. The peer may still refuse it, which is a "reset" event.
   * @throws YamuxError with `code` ERR_YAMUX_REFUSED or ERR_YAMUX_ENDED.
   */
  openStream(): YamuxStream {
    this.#checkLive();
    if (this.#localAway || this.#remoteAway)
      throw new YamuxError("ERR_YAMUX_REFUSED", "the session is ending");
    const stream = this.#table.open();
    // What opens a stream may be one frame too many for a sink that is full.
    this.#checkLive();
    return stream;
  }

  /** Asks for a sign of life; a "pong" event brings the number that this gives. */
  ping(): number {
    this.#checkLive();
    const id = this.#nextPing;
    this.#nextPing = (id + 1) >>> 0;
    this.#pings.add(id);
    for (const oldest of this.#pings) {
      if (this.#pings.size <= MAX_PINGS) break;
      this.#pings.delete(oldest);
    }
    this.#sendControl(encodeHeader({ type: FrameType.PING, flags: Flag.SYN, streamId: 0, length: id }));
    return id;
  }

  /** Says that no more streams are opened or taken here; those that are open go on. */
  goAway(): void {
    if (this.#over || this.#localAway) return;
    this.#localAway = true;
    this.#sendControl(encodeGoAway(GoAway.NORMAL));
  }

  /** Ends the session, as when the connection is gone: a "reset" for each stream. Nothing is sent. */
  end(): YamuxEvent[] {
    this.#endStreams();
    return this.#takeEvents();
  }

  #takeHeader(header: FrameHeader): void {
    const { version, type } = header;
    if (version !== VERSION) throw new YamuxError("ERR_YAMUX_PROTOCOL", `a frame is of version ${version}`);
    if (type === FrameType.DATA || type === FrameType.WINDOW_UPDATE) this.#takeStreamFrame(header);
    else if (type === FrameType.PING) this.#takePing(header);
    else if (type === FrameType.GO_AWAY) this.#takeGoAway(header.length);
    else throw new YamuxError("ERR_YAMUX_PROTOCOL", `a frame is of type ${type}`);
  }

  #takeStreamFrame({ type, flags, streamId, length }: FrameHeader): void {
    this.#receiving = undefined;
    this.#ending = false;
    if (flags & Flag.SYN) this.#takeSyn(streamId, (flags & Flag.RST) !== 0);
    const stream = this.#table.get(streamId);
    // Frames of a stream that we have reset, or refused, may be on their way still.
    if (stream === undefined) return;
    if (flags & Flag.RST) {
      stream.die();
      this.#events.push({ kind: "reset", stream });
      return;
    }
    if (flags & Flag.ACK && stream.acknowledge()) this.#events.push({ kind: "accepted", stream });
    if (type === FrameType.WINDOW_UPDATE) {
      this.#takeWindow(stream, length);
      if (flags & Flag.FIN) this.#endRemote(stream);
    } else this.#beginData(stream, length, (flags & Flag.FIN) !== 0);
  }

  #takeSyn(streamId: number, reset: boolean): void {
    this.#table.checkPeersId(streamId);
    if (reset) return;
    if (this.#localAway || this.#table.full) {
      this.#sendControl(
        encodeHeader({ type: FrameType.WINDOW_UPDATE, flags: Flag.RST, streamId, length: 0 }),
      );
      return;
    }
    this.#events.push({ kind: "stream", stream: this.#table.add(streamId) });
  }

  #takeWindow(stream: Stream, bytes: number): void {
    stream.grant(bytes);
    if (this.#table.isWaiting(stream) && stream.room > 0) this.#events.push({ kind: "writable", stream });
  }

  #beginData(stream: Stream, length: number, ending: boolean): void {
    if (length > 0 && !stream.readable) {
      throw new YamuxError("ERR_YAMUX_PROTOCOL", `stream ${stream.id} goes on after its end`);
    }
    if (length > stream.receiveWindow) {
      const problem = `stream ${stream.id} has ${length} bytes for a window of ${stream.receiveWindow}`;
      throw new YamuxError("ERR_YAMUX_WINDOW", problem);
    }
    if (length === 0 && ending) this.#endRemote(stream);
    this.#receiving = stream;
    this.#ending = ending;
  }

  #takeData(data: Uint8Array, last: boolean): void {
    const stream = this.#receiving;
    // The stream may have been reset here since the frame began.
    if (stream === undefined || this.#table.get(stream.id) !== stream) return;
    stream.receive(data.length);
    this.#events.push({ kind: "data", stream, data });
    if (last && this.#ending) this.#endRemote(stream);
  }

  #endRemote(stream: Stream): void {
    if (!stream.readable) throw new YamuxError("ERR_YAMUX_PROTOCOL", `stream ${stream.id} ends twice`);
    stream.endRemote();
    this.#events.push({ kind: "end", stream });
  }

  #takePing({ flags, length }: FrameHeader): void {
    if (flags & Flag.SYN) {
      this.#sendControl(encodeHeader({ type: FrameType.PING, flags: Flag.ACK, streamId: 0, length }));
    } else if (this.#pings.delete(length)) this.#events.push({ kind: "pong", id: length });
  }

  #takeGoAway(reason: number): void {
    if (reason !== GoAway.NORMAL) {
      this.#fail(new YamuxError("ERR_YAMUX_GO_AWAY", `the peer ended the session with error ${reason}`));
    } else if (!this.#remoteAway) {
      this.#remoteAway = true;
      this.#events.push({ kind: "goAway" });
    }
  }

  #sendControl(frame: Uint8Array): void {
    if (this.#over || this.#outlet.sendControl(frame)) return;
    this.#fail(
      new YamuxError("ERR_YAMUX_FLOOD", "too many answers wait for the peer"),
      GoAway.INTERNAL_ERROR,
    );
  }

  #fail(error: YamuxError, reason?: number): void {
    if (this.#over) return;
    this.#endStreams();
    if (reason !== undefined) this.#outlet.sendLast(encodeGoAway(reason));
    this.#events.push({ kind: "failed", error });
  }

  #endStreams(): void {
    this.#over = true;
    for (const stream of this.#table.takeAll()) {
      stream.die();
      this.#events.push({ kind: "reset", stream });
    }
  }

  #checkLive(): void {
    if (this.#over) throw new YamuxError("ERR_YAMUX_ENDED", "the session is over");
  }

  #takeEvents(): YamuxEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }
}

function encodeGoAway(reason: number): Uint8Array {
  return encodeHeader({ type: FrameType.GO_AWAY, flags: 0, streamId: 0, length: reason });
}

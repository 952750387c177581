/** What has been sent of an output, until its reader says that it has it for good: another one may ask for it again. */

import * as sys from "tiny:sys";
import { O_CLOEXEC, O_WRONLY, SPLICE_F_NONBLOCK } from "@husk/tiny";
import { StatusCode, TtrpcError } from "@husk/wire/ttrpc";
import { Conduit, move } from "../core/frame-mover.ts";

/** Bytes from which on no more is sent, and those of them that may be in memory. */
const MAX_BYTES = 512 * 1024;
const MAX_MEMORY_BYTES = 256 * 1024;
/** Bytes of the pipe: room for a piece more, whose pages need not be full. */
const PIPE_BYTES = 1024 * 1024;

/** opened when it is first needed, and shared */
let nullDevice: number | undefined;

/** See the head of the file. Much is kept in a pipe, whose pages are those that are sent; a little in memory. */
export class KeptOutput {
  /** position in the output of the first byte that is kept, and of the first that has not been sent */
  #start: number;
  #end: number;
  /** what is kept, in its order: bytes, or how many there are in the pipe */
  #pieces: (Uint8Array | number)[] = [];
  #memoryBytes = 0;
  #pipe: Conduit | undefined;

  /** @param position how many bytes were sent before */
  constructor(position: number) {
    this.#start = position;
    this.#end = position;
  }

  /** position of the first byte that has not been sent */
  get end(): number {
    return this.#end;
  }

  /** True while no more may be sent. */
  get isFull(): boolean {
    return this.#end - this.#start >= MAX_BYTES || this.#memoryBytes >= MAX_MEMORY_BYTES;
  }

  /** Keeps bytes that are sent. They must not be written over. */
  keep(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
    this.#memoryBytes += bytes.length;
    this.#end += bytes.length;
  }

  /** Makes the pipe, before anything is kept in it. @throws SystemError */
  openPipe(): void {
    this.#pipe ??= new Conduit(PIPE_BYTES);
  }

  /** Keeps the first bytes of a pipe, which stay in it; gives how many, or -1 when there is no room. */
  keepPiped(from: number, length: number): number {
    if (!this.#pipe) throw new Error("there is no pipe to keep output in");
    const count = sys.tee(from, this.#pipe.to, length, SPLICE_F_NONBLOCK);
    if (count <= 0) return -1;
    this.#pieces.push(count);
    this.#end += count;
    return count;
  }

  /** Lets go of all before a position. @throws TtrpcError when it has not been sent so far */
  acknowledge(position: number): void {
    if (position > this.#end)
      throw new TtrpcError(
        StatusCode.OUT_OF_RANGE,
        `${position} bytes are acknowledged, ${this.#end} were sent`,
      );
    while (this.#start < position) {
      const piece = this.#pieces.shift() ?? 0;
      const length = typeof piece === "number" ? piece : piece.length;
      const count = Math.min(length, position - this.#start);
      this.#start += count;
      if (typeof piece === "number") this.#dropPiped(count);
      else this.#memoryBytes -= count;
      if (count < length)
        this.#pieces.unshift(typeof piece === "number" ? piece - count : piece.subarray(count));
    }
  }

  /**
   * All that is kept behind a position, to be sent again: it is not kept any more.
   * @throws TtrpcError when it is gone, or has not been sent so far
   */
  takeBack(position: number): Uint8Array[] {
    if (position < this.#start)
      throw new TtrpcError(StatusCode.OUT_OF_RANGE, `the output before byte ${this.#start} is gone`);
    this.acknowledge(position);
    const pieces = this.#pieces.map((piece) => (typeof piece === "number" ? this.#readPiped(piece) : piece));
    this.#pieces = [];
    this.#memoryBytes = 0;
    this.#end = this.#start;
    return pieces;
  }

  /** Lets go of all. */
  close(): void {
    this.#pieces = [];
    this.#memoryBytes = 0;
    this.#start = this.#end;
    this.#pipe?.close();
    this.#pipe = undefined;
  }

  /** What goes to the null device is not looked at. */
  #dropPiped(count: number): void {
    nullDevice ??= sys.open("/dev/null", O_WRONLY | O_CLOEXEC, 0);
    for (let left = count; left > 0; ) left -= atLeastOne(move(this.#from, nullDevice, left));
  }

  #readPiped(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    for (let at = 0; at < count; ) at += atLeastOne(sys.read(this.#from, bytes, at, count - at));
    return bytes;
  }

  get #from(): number {
    if (!this.#pipe) throw new Error("no output is kept in a pipe");
    return this.#pipe.from;
  }
}

function atLeastOne(count: number): number {
  if (count <= 0) throw new Error("kept output is lost");
  return count;
}

import type { PipeTail } from "./pipe-tail.ts";

/** What is asked for of an output. */
export interface ReadOutput {
  /** most bytes to give */
  length: number;
  /** bytes of the output that the reader has for good: what it is sent is kept until it has; undefined: nothing is kept */
  acknowledged?: number | undefined;
  /** begins behind those bytes, whatever was sent before */
  resume?: boolean;
}

/** Who waits for an answer. */
export interface OutputReader {
  length: number;
  /** where it begins anew, until that has been done */
  resumeAt: number | undefined;
  resolve(data: Uint8Array | PipeTail): void;
  reject(error: unknown): void;
}

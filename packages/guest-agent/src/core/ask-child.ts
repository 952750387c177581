/** Asking a forked child for bytes: for what may lead into a container's files, or never come back. */

import * as sys from "tiny:sys";
import {
  EPOLLIN,
  F_SETFL,
  O_CLOEXEC,
  O_NONBLOCK,
  SIGKILL,
  startTimer,
  stopTimer,
  unwatch,
  watch,
  writeAll,
} from "@husk/tiny";
import { COMPLAINT_BYTES, complain, forkChild } from "./fork-child.ts";

/** Milliseconds that a child has for its answer, on a slow machine too: long lists and files take a while there. */
const DEADLINE_MS = 10_000;
/** First byte of an answer. */
const [GOOD, BAD] = [0, 1];

function answer(tell: number, work: () => Uint8Array): never {
  try {
    const bytes = work();
    writeAll(tell, Uint8Array.of(GOOD));
    writeAll(tell, bytes);
  } catch (error) {
    writeAll(tell, Uint8Array.of(BAD));
    complain(tell, error);
  }
  sys.exit(0);
}

/** Bytes of unknown number, gathered. */
class Gathered {
  #bytes = new Uint8Array(4096);
  #size = 0;

  /** Reads once; false at the end, or when nothing is there yet. */
  read(fd: number): "more" | "later" | "end" {
    if (this.#size === this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    const count = sys.read(fd, this.#bytes, this.#size, this.#bytes.length - this.#size);
    if (count > 0) this.#size += count;
    return count > 0 ? "more" : count === 0 ? "end" : "later";
  }

  get size(): number {
    return this.#size;
  }

  /** The answer in them. @throws Error with the child's complaint */
  take(what: string): Uint8Array {
    if (this.#size === 0) throw new Error(`${what}: the child that was asked has died`);
    const bytes = this.#bytes.subarray(1, this.#size);
    if (this.#bytes[0] === GOOD) return bytes;
    throw new Error(sys.decodeUtf8(bytes));
  }
}

/**
 * Runs `work` in a forked child and gives what it returns there.
 *
 * @param what what it does, for the errors
 * @param maxBytes longest answer
 * @throws Error with what `work` threw, or when it takes longer than ten seconds or answers more than `maxBytes`
 */
export function askChild(what: string, maxBytes: number, work: () => Uint8Array): Promise<Uint8Array> {
  const [hear, tell] = sys.pipe2(O_CLOEXEC);
  let pid: number;
  try {
    pid = forkChild(() => answer(tell, work));
  } catch (error) {
    sys.close(hear);
    throw error;
  } finally {
    sys.close(tell);
  }
  sys.fcntl(hear, F_SETFL, O_NONBLOCK);
  return new Promise((resolve, reject) => {
    const gathered = new Gathered();
    const finish = (settle: () => void) => {
      stopTimer(timer);
      unwatch(hear);
      sys.close(hear);
      settle();
    };
    const giveUp = (why: string) => {
      sys.kill(pid, SIGKILL);
      finish(() => reject(new Error(`${what}: ${why}`)));
    };
    const timer = startTimer(DEADLINE_MS, () => giveUp(`no answer in ${DEADLINE_MS} ms`));
    watch(hear, EPOLLIN, () => {
      const outcome = gathered.read(hear);
      if (gathered.size > 1 + Math.max(maxBytes, COMPLAINT_BYTES)) giveUp(`longer than ${maxBytes} bytes`);
      else if (outcome === "end")
        finish(() => {
          try {
            resolve(gathered.take(what));
          } catch (error) {
            reject(error);
          }
        });
    });
  });
}

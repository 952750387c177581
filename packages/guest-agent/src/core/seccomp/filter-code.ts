/**
 * Filters of system calls as instructions of the kernel (classic BPF), each 8 bytes. They are written from the last to the
 * first: jumps lead forward only, so where they lead is there already.
 */

import { SeccompError } from "./seccomp-error.ts";

/** Most instructions that the kernel takes. */
const MAX_INSTRUCTIONS = 4096;
const INSTRUCTION_BYTES = 8;
/** Instructions that a conditional jump can leave out. */
const MAX_JUMP = 255;
/** Instructions after which an answer is rather written again than jumped to. */
const NEAR = 128;

const Code = { LOAD: 0x20, AND: 0x54, JUMP: 0x05, RETURN: 0x06 } as const;

/** What the number that was loaded last is compared by. */
export const Test = { EQUAL: 0x15, GREATER: 0x25, AT_LEAST: 0x35 } as const;

/** An instruction, by its place from the end. */
export type Label = number;

interface Instruction {
  code: number;
  yes: number;
  no: number;
  value: number;
}

/** See the head of the file. */
export class FilterCode {
  readonly #reversed: Instruction[] = [];
  readonly #answers = new Map<number, Label>();

  /** Ends the filter with an answer. */
  answer(action: number): Label {
    const known = this.#answers.get(action);
    if (known !== undefined && this.#distance(known) < NEAR) return known;
    const label = this.#push(Code.RETURN, action);
    this.#answers.set(action, label);
    return label;
  }

  /** Loads 32 bits of what the kernel tells of the call, and goes on. */
  load(offset: number, next: Label): Label {
    this.#reach(next);
    return this.#push(Code.LOAD, offset);
  }

  /** Keeps these bits of what is loaded, and goes on. */
  and(mask: number, next: Label): Label {
    this.#reach(next);
    return this.#push(Code.AND, mask);
  }

  /** Goes one of two ways. */
  branch(test: number, value: number, yes: Label, no: Label): Label {
    // The second stepping stone may push the first target away by one.
    const nearYes = this.#distance(yes) < MAX_JUMP ? yes : this.#jump(yes);
    const nearNo = this.#distance(no) <= MAX_JUMP ? no : this.#jump(no);
    return this.#push(test, value, this.#distance(nearYes), this.#distance(nearNo));
  }

  /** The filter, which begins with what was written last. */
  encode(): Uint8Array {
    const bytes = new Uint8Array(this.#reversed.length * INSTRUCTION_BYTES);
    const view = new DataView(bytes.buffer);
    this.#reversed.toReversed().forEach(({ code, yes, no, value }, index) => {
      const at = index * INSTRUCTION_BYTES;
      view.setUint16(at, code, true);
      view.setUint8(at + 2, yes);
      view.setUint8(at + 3, no);
      view.setUint32(at + 4, value, true);
    });
    return bytes;
  }

  /** Instructions between the next one to be written and this. */
  #distance(label: Label): number {
    return this.#reversed.length - 1 - label;
  }

  /** Makes what is written next be followed by this. */
  #reach(label: Label): void {
    if (this.#distance(label) > 0) this.#jump(label);
  }

  #jump(label: Label): Label {
    return this.#push(Code.JUMP, this.#distance(label));
  }

  #push(code: number, value: number, yes = 0, no = 0): Label {
    if (this.#reversed.length === MAX_INSTRUCTIONS) {
      throw new SeccompError(
        `the profile needs more than the ${MAX_INSTRUCTIONS} instructions that a filter may have`,
      );
    }
    return this.#reversed.push({ code, yes, no, value }) - 1;
  }
}

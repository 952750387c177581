/** Runs filters of system calls as the kernel would: the instructions that they are made of, and nothing else. */

/** A system call, as the kernel tells it to a filter. */
export interface SystemCall {
  number: number;
  /** way into the kernel, by the kernel's number */
  arch: number;
  args: readonly bigint[];
}

/** The kernel's numbers of ways into it. */
export const [X86_64, X86] = [0xc000003e, 0x40000003];

function tell({ number, arch, args }: SystemCall): DataView {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, number, true);
  data.setUint32(4, arch, true);
  for (const [index, value] of args.entries()) data.setBigUint64(16 + 8 * index, value, true);
  return data;
}

/** What a filter answers, and after how many instructions. @throws Error for what the kernel would refuse */
export function runFilter(filter: Uint8Array, call: SystemCall): { answer: number; steps: number } {
  const view = new DataView(filter.buffer, filter.byteOffset, filter.byteLength);
  const data = tell(call);
  let loaded = 0;
  let steps = 0;
  for (let at = 0; at * 8 < filter.length; at++) {
    steps++;
    const code = view.getUint16(at * 8, true);
    const [yes, no] = [view.getUint8(at * 8 + 2), view.getUint8(at * 8 + 3)];
    const value = view.getUint32(at * 8 + 4, true);
    if (code === 0x06) return { answer: value, steps };
    else if (code === 0x20) loaded = data.getUint32(value, true);
    else if (code === 0x54) loaded = (loaded & value) >>> 0;
    else if (code === 0x05) at += value;
    else if (code === 0x15) at += loaded === value ? yes : no;
    else if (code === 0x25) at += loaded > value ? yes : no;
    else if (code === 0x35) at += loaded >= value ? yes : no;
    else throw new Error(`unknown instruction ${code.toString(16)}`);
  }
  throw new Error("the filter has no end");
}

/** Runs programs for devices as the kernel would: the instructions that they are made of, and nothing else. */

/** What a process wants of a device. */
export interface DeviceAsk {
  kind: number;
  major: number;
  minor: number;
  uses: number;
}

/** The answer of a program, 1 or 0. @throws Error for what the kernel would refuse when it is loaded */
export function runDeviceProgram(program: Uint8Array, { kind, major, minor, uses }: DeviceAsk): number {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const given = [(uses << 16) | kind, major, minor];
  const registers: (number | undefined)[] = [undefined, 0];
  const read = (register: number): number => {
    const value = registers[register];
    if (value === undefined) throw new Error(`register ${register} is read before it is written`);
    return value;
  };
  const reached = new Set<number>();
  for (let at = 0; ; at++) {
    if (at * 8 >= program.length) throw new Error("the program has no end");
    if (reached.has(at)) throw new Error("the program goes back");
    reached.add(at);
    const [code, registerPair] = [view.getUint8(at * 8), view.getUint8(at * 8 + 1)];
    const [to, from] = [registerPair & 15, registerPair >> 4];
    const [offset, value] = [view.getInt16(at * 8 + 2, true), view.getInt32(at * 8 + 4, true)];
    if (code === 0x95) return read(0);
    else if (code === 0x61) registers[to] = given[offset / 4];
    else if (code === 0xb7) registers[to] = value;
    else if (code === 0xbf) registers[to] = read(from);
    else if (code === 0x57) registers[to] = read(to) & value;
    else if (code === 0x77) registers[to] = read(to) >>> value;
    else if (code === 0x05) at += offset;
    else if (code === 0x15) at += read(to) === value ? offset : 0;
    else if (code === 0x55) at += read(to) !== value ? offset : 0;
    else if (code === 0x45) at += (read(to) & value) !== 0 ? offset : 0;
    else throw new Error(`unknown instruction ${code.toString(16)}`);
  }
}

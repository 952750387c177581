import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  Command,
  ControlDecoder,
  type ControlFrame,
  commandName,
  encodeControl,
  StreamDecoder,
} from "@husk/wire/hyperstart";
import { INITRAMFS, KERNEL } from "./places.ts";

/** Milliseconds for a boot, and for any one answer, also on a busy machine without KVM. */
const DEADLINE_MS = 60_000;

const ARGUMENTS = [
  ...[
    "-machine",
    "q35,accel=tcg,i8042=off,vmport=off,smbus=off,sata=off,hpet=off",
    "-cpu",
    "max,-la57,-erms,-fsrm",
  ],
  ...["-m", "128M", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-bios", "qboot.rom"],
  ...["-kernel", KERNEL, "-initrd", INITRAMFS],
  ...["-append", "quiet console=ttyS0 panic=-1 tsc=reliable no_timer_check nolapic_timer cryptomgr.notests"],
];

/** A VM with our agent and nothing of ours beside it: the test is the host, and speaks on its channels itself. */
export class BareGuest implements AsyncDisposable {
  readonly #qemu: ChildProcess;
  readonly #folder: string;
  readonly #sockets: Socket[] = [];
  readonly #frames: ControlFrame[] = [];
  /** bytes by stream; an end is an empty piece */
  readonly streams = new Map<number, Buffer[]>();
  #control: Socket | undefined;
  #wake: () => void = () => {};

  private constructor(qemu: ChildProcess, folder: string) {
    this.#qemu = qemu;
    this.#folder = folder;
  }

  /** Boots it and waits for READY. @param folder for its sockets; @param more arguments of QEMU */
  static async boot(folder: string, more: readonly string[]): Promise<BareGuest> {
    const chardev = (id: string) => [
      "-chardev",
      `socket,id=${id},path=${join(folder, id)},server=on,wait=off`,
    ];
    const port = (id: string, nr: number, name: string) => [
      ...chardev(id),
      ...["-device", `virtserialport,bus=serial0.0,nr=${nr},chardev=${id},name=${name}`],
    ];
    const args = [
      ...ARGUMENTS,
      ...["-serial", `file:${join(folder, "console")}`],
      ...[...chardev("qmp"), "-mon", "chardev=qmp,mode=control"],
      ...["-device", "virtio-serial-pci,id=serial0"],
      ...[...port("control", 1, "sh.hyper.channel.0"), ...port("stream", 2, "sh.hyper.channel.1")],
      ...more,
    ];
    const qemu = spawn("qemu-system-x86_64", args, { stdio: ["ignore", "ignore", "inherit"] });
    const guest = new BareGuest(qemu, folder);
    try {
      await guest.#connectChannels();
      return guest;
    } catch (error) {
      await guest[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #connectChannels(): Promise<void> {
    const [control, streams] = [new ControlDecoder(), new StreamDecoder()];
    this.#control = await this.#connect("control", (bytes) => this.#frames.push(...control.push(bytes)));
    await this.#connect("stream", (bytes) => {
      for (const { seq, data } of streams.push(bytes)) {
        this.streams.set(seq, [...(this.streams.get(seq) ?? []), Buffer.from(data)]);
      }
    });
    await this.#take((frame) => frame.command === Command.READY);
  }

  async #connect(name: string, onBytes: (bytes: Buffer) => void): Promise<Socket> {
    for (const end = Date.now() + DEADLINE_MS; ; ) {
      const socket = connect(join(this.#folder, name));
      try {
        await once(socket, "connect");
        this.#sockets.push(socket);
        socket.on("data", (bytes: Buffer) => {
          onBytes(bytes);
          this.#wake();
        });
        return socket;
      } catch (error) {
        if (Date.now() > end) throw error;
        await sleep(20);
      }
    }
  }

  /** Resolves when something that came has made `isMet` true. */
  async until(isMet: () => boolean): Promise<void> {
    for (const end = Date.now() + DEADLINE_MS; !isMet(); ) {
      if (Date.now() > end || this.#qemu.exitCode !== null) {
        throw new Error(
          `the guest did not do it: ${await readFile(join(this.#folder, "console"), "latin1")}`,
        );
      }
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await Promise.race([woken, sleep(200)]);
    }
  }

  async #take(isIt: (frame: ControlFrame) => boolean): Promise<ControlFrame> {
    await this.until(() => this.#frames.some(isIt));
    return this.#frames.splice(this.#frames.findIndex(isIt), 1)[0] as ControlFrame;
  }

  /** Sends a command; gives the payload of its ACK as text. @throws Error with the text of its ERROR */
  async ask(code: number, payload?: Uint8Array | object): Promise<string> {
    const bytes = payload instanceof Uint8Array ? payload : payload && Buffer.from(JSON.stringify(payload));
    this.#control?.write(encodeControl(code, bytes));
    const { command, payload: answer } = await this.#take(
      (frame) => frame.command === Command.ACK || frame.command === Command.ERROR,
    );
    const text = Buffer.from(answer).toString();
    if (command === Command.ERROR) throw new Error(`${commandName(code)}: ${text}`);
    return text;
  }

  /** Runs a shell's script in a container; gives its output. */
  async run(container: string, stdio: number, script: string): Promise<string> {
    const process = { id: `run-${stdio}`, args: ["/bin/sh", "-c", script], stdio, stderr: stdio + 1 };
    await this.ask(Command.EXECCMD, { container, process });
    await this.until(() => this.streams.get(stdio)?.at(-1)?.length === 0);
    return Buffer.concat([
      ...(this.streams.get(stdio + 1) ?? []),
      ...(this.streams.get(stdio) ?? []),
    ]).toString();
  }

  /** Does one command of QEMU's monitor. */
  async monitor(execute: string, argument: object): Promise<void> {
    let text = "";
    const socket = await this.#connect("qmp", (bytes) => {
      text += bytes;
    });
    socket.write(`{"execute":"qmp_capabilities"}\n${JSON.stringify({ execute, arguments: argument })}\n`);
    const answers = () => text.split("\n").filter((line) => /^\{"(return|error)"/.test(line));
    await this.until(() => answers().length === 2);
    socket.destroy();
    if (answers()[1]?.startsWith('{"error"')) throw new Error(answers()[1]);
  }

  /** Resolves when the VM has switched itself off. */
  async off(): Promise<void> {
    if (this.#qemu.exitCode === null)
      await once(this.#qemu, "exit", { signal: AbortSignal.timeout(DEADLINE_MS) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (this.#qemu.exitCode !== null || this.#qemu.signalCode !== null) return;
    const exited = once(this.#qemu, "exit");
    this.#qemu.kill("SIGKILL");
    await exited;
  }
}

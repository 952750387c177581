/**
 * A VM whose agent is driven by hand, over its two channels: for what the protocol can ask of the agent and the library
 * does not.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  Command,
  type ContainerRequest,
  ControlDecoder,
  encodeControl,
  type ProcessRequest,
  parseProcessAsyncEvent,
  StreamDecoder,
} from "@husk/wire/hyperstart";
import { CollectedOutput } from "./collected-output.ts";
import { INITRAMFS, KERNEL } from "./places.ts";

const VIRTIOFSD = "/usr/lib/qemu/virtiofsd";

/** What the VM has. */
export interface GuestHardware {
  /** folders of the host, by mount tag */
  shares?: Record<string, string>;
  /** image files of disks on a virtio bus, by serial number */
  disks?: Record<string, string>;
  /** image files of disks on a SCSI controller, in the order of their ids */
  scsiDisks?: string[];
  /** further arguments of QEMU */
  more?: string[];
  /** further words of the kernel's command line */
  kernelWords?: string;
}

/** How a process ended, and what it wrote. */
export interface Output {
  code: number;
  text: string;
}

/** A process beside the VM, or the VM itself. */
interface Helper {
  readonly child: ChildProcess;
  readonly errors: CollectedOutput;
}

/** See the head of the file. */
export class DrivenGuest implements AsyncDisposable {
  readonly #folder: string;
  readonly #helpers: Helper[] = [];
  readonly #output = new Map<number, string>();
  readonly #ended = new Set<number>();
  /** exit codes, by container and process */
  readonly #exits = new Map<string, number>();
  readonly #replies: { command: number; payload: Uint8Array }[] = [];
  #sockets: Socket[] = [];
  #heard: () => void = () => {};
  #lastSeq = 0;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Boots it, and waits for the agent. @param folder for sockets and the console */
  static async boot(folder: string, hardware: GuestHardware, signal: AbortSignal): Promise<DrivenGuest> {
    const guest = new DrivenGuest(folder);
    signal.addEventListener("abort", () => guest.#kill());
    try {
      await guest.#start(hardware);
      await guest.#until(() => guest.#replies.shift()?.command === Command.READY);
      return guest;
    } catch (error) {
      guest.#kill();
      throw error;
    }
  }

  /** Sends a command; gives the payload of the ACK. @throws Error with the text of an ERROR */
  async ask(command: number, payload: Uint8Array | object = {}): Promise<Uint8Array> {
    const bytes = payload instanceof Uint8Array ? payload : JSON.stringify(payload);
    this.#sockets[0]?.write(encodeControl(command, bytes));
    await this.#until(() => this.#replies.length > 0);
    const reply = this.#replies.shift();
    if (reply?.command === Command.ACK) return reply.payload;
    throw new Error(Buffer.from(reply?.payload ?? []).toString());
  }

  /** Runs a shell script as a container's only process. */
  async run(
    id: string,
    script: string,
    {
      process,
      ...options
    }: Partial<Omit<ContainerRequest, "process">> & { process?: Partial<ProcessRequest> },
  ): Promise<Output> {
    this.#lastSeq += 2;
    const [stdio, stderr] = [this.#lastSeq - 1, this.#lastSeq];
    const spec = { id: "init", args: ["/bin/sh", "-c", script], stdio, stderr, ...process };
    const key = `${id}/${spec.id}`;
    this.#exits.delete(key);
    await this.ask(Command.NEWCONTAINER, { id, ...options, process: spec });
    return this.#end(key, stdio);
  }

  /** Starts one more process in a container; gives the number of its stream. */
  async start(container: string, args: string[]): Promise<number> {
    this.#lastSeq += 2;
    const [stdio, stderr] = [this.#lastSeq - 1, this.#lastSeq];
    await this.ask(Command.EXECCMD, { container, process: { id: `exec-${stdio}`, args, stdio, stderr } });
    return stdio;
  }

  /** Runs a shell script beside a container's first process; gives what it wrote. */
  async exec(container: string, script: string): Promise<string> {
    const stdio = await this.start(container, ["/bin/sh", "-c", script]);
    return (await this.#end(`${container}/exec-${stdio}`, stdio)).text;
  }

  /** Resolves when a container's first process has ended. */
  async exited(container: string): Promise<void> {
    await this.#until(() => this.#exits.has(`${container}/init`));
  }

  /** Does one command of QEMU's monitor. @param event what is to be waited for then */
  async monitor(execute: string, argument: object, event?: string): Promise<void> {
    let text = "";
    const socket = await this.#connect("qmp", (bytes) => {
      text += bytes;
    });
    socket.write(`{"execute":"qmp_capabilities"}\n${JSON.stringify({ execute, arguments: argument })}\n`);
    const answers = () => text.split("\n").filter((line) => /^\{"(return|error)"/.test(line));
    await this.#until(() => answers().length === 2);
    const isTold = (line: string) => line.includes(`"event": "${event}"`);
    if (event) await this.#until(() => text.split("\n").some(isTold));
    socket.destroy();
    assert.match(answers()[1] as string, /^\{"return"/);
  }

  /** Ends the pod; the VM must power itself off, and the shares' daemons must end with it. */
  async powerOff(): Promise<void> {
    const gone = Promise.all(this.#helpers.map(({ child }) => hasEnded(child) || once(child, "exit")));
    await this.ask(Command.DESTROYPOD);
    await gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill();
  }

  #kill(): void {
    for (const socket of this.#sockets) socket.destroy();
    for (const { child } of this.#helpers) child.kill("SIGKILL");
  }

  async #start(hardware: GuestHardware): Promise<void> {
    const { shares = {}, disks = {}, scsiDisks = [], more = [], kernelWords = "" } = hardware;
    const args = [
      ...["-accel", "tcg", "-M", "q35,memory-backend=memory", "-bios", "qboot.rom", "-cpu", "max,-la57"],
      ...["-object", "memory-backend-memfd,id=memory,size=192M,share=on", "-m", "192", "-display", "none"],
      ...["-nodefaults", "-no-user-config", "-no-reboot", "-kernel", KERNEL, "-initrd", INITRAMFS],
      ...["-append", `console=ttyS0 panic=-1 quiet HUSK_LOG=debug ${kernelWords}`],
      ...["-serial", `file:${this.#path("console")}`, "-device", "virtio-serial-pci"],
      ...["-qmp", `unix:${this.#path("qmp")},server=on,wait=off`, ...more],
    ];
    for (const [at, name] of ["control", "stream"].entries()) {
      args.push("-chardev", `socket,id=${name},path=${this.#path(name)},server=on,wait=off`);
      args.push("-device", `virtserialport,chardev=${name},name=sh.hyper.channel.${at}`);
    }
    for (const [serial, file] of Object.entries(disks)) {
      args.push("-drive", `if=none,id=${serial},file=${file},format=raw`);
      args.push("-device", `virtio-blk-pci,drive=${serial},serial=${serial}`);
    }
    if (scsiDisks.length > 0) args.push("-device", "virtio-scsi-pci,id=scsi");
    for (const [id, file] of scsiDisks.entries()) {
      args.push("-drive", `if=none,id=scsi${id},file=${file},format=raw`);
      args.push("-device", `scsi-hd,bus=scsi.0,drive=scsi${id},scsi-id=${id},lun=0`);
    }
    for (const [tag, folder] of Object.entries(shares)) {
      const path = await this.#serve(tag, folder);
      args.push("-chardev", `socket,id=${tag},path=${path}`);
      args.push("-device", `vhost-user-fs-pci,chardev=${tag},tag=${tag}`);
    }
    this.#spawn("qemu-system-x86_64", args);
    this.#sockets = [
      await this.#connect("control", this.#readControl()),
      await this.#connect("stream", this.#readStream()),
    ];
  }

  async #serve(tag: string, folder: string): Promise<string> {
    const path = this.#path(`${tag}.fs`);
    const words = [`--socket-path=${path}`, "-f", "-o", `source=${folder},sandbox=chroot,xattr`];
    const { errors } = this.#spawn(VIRTIOFSD, words);
    // It says so when it listens.
    await errors.waitFor(/Waiting for/);
    return path;
  }

  #spawn(program: string, args: readonly string[]): Helper {
    const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
    child.on("error", () => {});
    child.on("exit", () => this.#heard());
    const helper = { child, errors: new CollectedOutput(child.stderr) };
    this.#helpers.push(helper);
    return helper;
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }

  async #connect(name: string, take: (bytes: Buffer) => void): Promise<Socket> {
    for (;;) {
      const socket = connect(this.#path(name));
      try {
        await once(socket, "connect");
        socket.on("data", (bytes: Buffer) => {
          take(bytes);
          this.#heard();
        });
        socket.on("error", () => {});
        return socket;
      } catch {
        const ended = this.#helpers.find(({ child }) => hasEnded(child));
        assert.equal(ended, undefined, `${ended?.child.spawnfile} has ended: ${ended?.errors.text()}`);
        // QEMU makes its sockets when it starts, and tells nobody.
        await delay(20);
      }
    }
  }

  #readControl(): (bytes: Buffer) => void {
    const decoder = new ControlDecoder();
    return (bytes) => {
      for (const { command, payload } of decoder.push(bytes)) {
        if (command === Command.PROCESSASYNCEVENT) {
          const { container, process, status } = parseProcessAsyncEvent(payload);
          this.#exits.set(`${container}/${process}`, status);
        } else if (command !== Command.NEXT)
          this.#replies.push({ command, payload: Uint8Array.from(payload) });
      }
    };
  }

  #readStream(): (bytes: Buffer) => void {
    const decoder = new StreamDecoder();
    return (bytes) => {
      for (const { seq, data } of decoder.push(bytes)) {
        if (data.length === 0) this.#ended.add(seq);
        else this.#output.set(seq, (this.#output.get(seq) ?? "") + Buffer.from(data).toString());
      }
    };
  }

  /** How a process ended. The end of its stream comes behind all of its output; its exit code has a channel of its own. */
  async #end(key: string, stdio: number): Promise<Output> {
    await this.#until(() => this.#exits.has(key) && this.#ended.has(stdio));
    const text = (this.#output.get(stdio) ?? "") + (this.#output.get(stdio + 1) ?? "");
    return { code: this.#exits.get(key) ?? -1, text };
  }

  async #until(isMet: () => boolean): Promise<void> {
    const qemu = this.#helpers.at(-1);
    while (!isMet()) {
      if (qemu && hasEnded(qemu.child))
        throw new Error(`the VM has ended: ${qemu.errors.text()}\n${this.#readConsole()}`);
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
  }
  #readConsole(): string {
    const path = this.#path("console");
    return existsSync(path) ? readFileSync(path, "latin1") : "";
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

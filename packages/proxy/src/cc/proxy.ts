/** cc-proxy: one pod, its VM, and any number of clients. */

import * as sys from "tiny:sys";
import { Errno, errorText, hasErrno, startTimer } from "@husk/tiny";
import { ProxyCommand } from "@husk/wire/cc-proxy";
import { encodeProcessAsyncEvent, type ProcessAsyncEvent } from "@husk/wire/hyperstart";
import { Listener } from "../core/listener.ts";
import { log } from "../core/log.ts";
import { Client, type ClientHandlers } from "./client.ts";
import { Commands } from "./commands.ts";
import type { CcProxyOptions } from "./options.ts";
import { Pod } from "./pod.ts";
import { readState } from "./state-file.ts";
import { takeOver } from "./take-over.ts";

/** Milliseconds that shims may take for the last output of a VM that has ended. */
const DRAIN_MS = 10_000;
/** Milliseconds for which clients are told that the VM is not there, before this proxy ends. */
const FAREWELL_MS = 2000;

/** See the head of the file. */
export class CcProxy {
  readonly #options: CcProxyOptions;
  readonly #listener: Listener;
  readonly #clients = new Set<Client>();
  readonly #pod: Pod;
  readonly #commands: Commands;
  /** why there is no VM any more, and what this proxy then ends with */
  #loss: { reason: string; status: number } | undefined;
  /** it ends when the last output is delivered */
  #isDraining = false;
  /** settles when the pod has been taken over, which clients wait for */
  #isTakingOver: Promise<void> | undefined;

  constructor(options: CcProxyOptions) {
    this.#options = options;
    this.#pod = new Pod({
      stateFile: options.stateFile,
      onProcessEnd: (event) => this.#tellEnd(event),
      onControlEnd: () => void startTimer(DRAIN_MS, () => this.#end(0)),
      onEnd: (fault) => this.#vmEnded(fault),
    });
    this.#commands = new Commands(this.#pod, options.uri, () =>
      this.#drain("the pod has been unregistered", 0),
    );
    const handlers: ClientHandlers = {
      onCommand: (client, opcode, payload) => this.#run(client, opcode, payload),
      onStream: (client, opcode, payload) => this.#commands.takeStream(client, opcode, payload),
      onWritable: (client) => this.#writable(client),
      onGone: (client) => this.#gone(client),
    };
    this.#listener = new Listener({ path: options.socketPath, fd: options.listenFd }, (fd) =>
      this.#clients.add(new Client(fd, handlers)),
    );
  }

  /** Takes the pod over of a proxy that was here before, if there was one. */
  async begin(): Promise<void> {
    const { stateFile } = this.#options;
    try {
      const state = stateFile && readState(stateFile);
      if (!state) return;
      this.#isTakingOver = takeOver(this.#pod, state);
      await this.#isTakingOver;
    } catch (error) {
      this.#fail(`the pod cannot be taken over: ${errorText(error)}`);
    } finally {
      this.#isTakingOver = undefined;
    }
  }

  async #run(client: Client, opcode: number, payload: Uint8Array) {
    // What does not have to wait is done at once: what came behind it may be in the same buffer.
    if (this.#isTakingOver) {
      const copy = new Uint8Array(payload);
      await this.#isTakingOver.catch(() => {});
      if (!client.isOpen) throw new Error("the client has gone meanwhile");
      return this.#runNow(client, opcode, copy);
    }
    return this.#runNow(client, opcode, payload);
  }

  #runNow(client: Client, opcode: number, payload: Uint8Array) {
    if (this.#loss && opcode !== ProxyCommand.DISCONNECT_SHIM) throw new Error(this.#loss.reason);
    return this.#commands.run(client, opcode, payload);
  }

  /** Before its shim is: who carries a process and hears of all ends as well is told in that order. */
  #tellEnd({ container, process, status }: ProcessAsyncEvent): void {
    const event = encodeProcessAsyncEvent(container, process, status);
    for (const client of this.#clients) if (client.wantsExits) client.sendGuestExit(event);
  }

  #writable(client: Client): void {
    if (client.session) this.#pod.pump(client.session);
    this.#endWhenDrained();
  }

  #gone(client: Client): void {
    this.#clients.delete(client);
    this.#pod.forgetClient(client);
    this.#endWhenDrained();
  }

  /** The VM has ended. What has come of it is still delivered. */
  #vmEnded(fault: string | undefined): void {
    const reason = fault ?? "the VM has ended";
    // Whoever takes over waits for the VM, and tells the clients.
    if (this.#isTakingOver || this.#loss) {
      this.#fail(reason);
      return;
    }
    log(fault === undefined ? "info" : "error", reason);
    if (fault !== undefined) this.#pod.save(fault);
    for (const session of this.#pod.sessions.all)
      if (session.exitCode !== undefined) session.outputEnded = true;
    this.#drain(reason, fault === undefined ? 0 : 1);
  }

  /** Ends when every shim has what there is for it, and has gone. */
  #drain(reason: string, status: number): void {
    this.#loss = { reason, status };
    this.#isDraining = true;
    for (const session of this.#pod.sessions.all) session.pump();
    startTimer(DRAIN_MS, () => this.#end(status));
    this.#endWhenDrained();
  }

  #endWhenDrained(): void {
    if (!this.#isDraining || !this.#loss) return;
    const { reason, status } = this.#loss;
    for (const session of this.#pod.sessions.all) session.tellLoss(reason);
    if (!this.#pod.sessions.all.some(({ shim }) => shim)) this.#end(status);
  }

  /** There is nothing to serve: clients that are waiting are told why. */
  #fail(reason: string): void {
    if (this.#loss) return;
    log("error", reason);
    this.#loss = { reason, status: 1 };
    startTimer(FAREWELL_MS, () => this.#end(1));
  }

  #end(status: number): never {
    const { stateFile } = this.#options;
    this.#listener.close();
    if (stateFile && status === 0) removeFile(stateFile);
    return sys.exit(status);
  }
}

function removeFile(path: string): void {
  try {
    sys.unlink(path);
  } catch (error) {
    if (!hasErrno(error, Errno.ENOENT)) log("error", `${path} cannot be removed: ${errorText(error)}`);
  }
}

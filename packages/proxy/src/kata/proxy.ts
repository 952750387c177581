/** A proxy between the port of a pod's agent and whoever connects to a socket. */

import { startTimer } from "@husk/tiny";
import { Listener } from "../core/listener.ts";
import { condemn } from "../core/lock.ts";
import { log } from "../core/log.ts";
import type { KataProxyOptions } from "./options.ts";
import { VmLink } from "./vm-link.ts";

/** Milliseconds that clients may take to read what the VM had sent before it went. */
const LINGER_MS = 60_000;

/** See the head of the file. */
export class KataProxy {
  readonly #listener: Listener;
  readonly #link: VmLink;
  readonly #more: Readonly<Record<string, string>>;
  readonly #ended: (status: number) => void;
  /** exit status, once the VM has gone */
  #status: number | undefined;

  /** @param ended called when nothing is left to be done, with the exit status. @throws SystemError */
  constructor({ listener, lockFd, muxPath, sandbox }: KataProxyOptions, ended: (status: number) => void) {
    this.#more = { sandbox };
    this.#ended = ended;
    this.#listener = new Listener(listener, (client) => {
      if (this.#link.serve(client)) return;
      log("warn", `a client is sent away: ${this.#link.clientCount} are there`, this.#more);
    });
    this.#link = new VmLink(muxPath, {
      onReady: () => log("info", "the agent is there", this.#more),
      onEnd: (fault, isGuests) => {
        if (fault !== undefined && isGuests && lockFd !== undefined) condemn(lockFd, fault);
        this.#end(fault);
      },
      onClientGone: () => this.#leaveWhenIdle(),
    });
  }

  /** Takes no more clients, lets go of the VM, and ends with 0. */
  close(): void {
    log("info", "ended by a signal", this.#more);
    this.#listener.close();
    this.#link.close();
    this.#ended(0);
  }

  #end(fault: string | undefined): void {
    if (fault === undefined) log("info", "the VM has gone", this.#more);
    else log("error", fault, this.#more);
    const status = fault === undefined ? 0 : 1;
    this.#status = status;
    this.#listener.close();
    startTimer(LINGER_MS, () => this.#ended(status));
    this.#leaveWhenIdle();
  }

  #leaveWhenIdle(): void {
    if (this.#status !== undefined && this.#link.clientCount === 0) this.#ended(this.#status);
  }
}

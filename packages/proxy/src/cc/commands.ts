/** What clients ask of the proxy: protocol version 2, and husk's acknowledgements. Reference: hyperstart.md 6.3. */

import { callSoon } from "@husk/tiny";
import {
  decodeAcknowledge,
  encodeConnectShimResponse,
  encodeIoResponse,
  ProxyCommand,
  ProxyStream,
  parseAttachVm,
  parseConnectShim,
  parseLogEntry,
  parseRegisterVm,
  parseUnregisterVm,
  proxyCommandName,
} from "@husk/wire/cc-proxy";
import { log } from "../core/log.ts";
import type { Answer, Client } from "./client.ts";
import { runHyperRequest } from "./hyper-command.ts";
import type { Pod } from "./pod.ts";
import { sendSignal } from "./signal-command.ts";

/** Milliseconds that an agent may take to be ready. Its caller has its own deadline, and goes away. */
const READY_MS = 600_000;

/** See the head of the file. */
export class Commands {
  readonly #pod: Pod;
  readonly #uri: string;
  readonly #onUnregistered: () => void;

  /** @param onUnregistered called when the VM has been let go, and before that is answered */
  constructor(pod: Pod, uri: string, onUnregistered: () => void) {
    this.#pod = pod;
    this.#uri = uri;
    this.#onUnregistered = onUnregistered;
  }

  /** Does a command; what it throws is for the client. */
  run(client: Client, opcode: number, payload: Uint8Array): Answer | Promise<Answer> {
    switch (opcode) {
      case ProxyCommand.REGISTER_VM:
        return this.#registerVm(client, payload);
      case ProxyCommand.ATTACH_VM:
        return this.#attachVm(client, payload);
      case ProxyCommand.UNREGISTER_VM:
        return this.#unregisterVm(payload);
      case ProxyCommand.HYPER:
        return runHyperRequest(this.#pod, client, payload);
      case ProxyCommand.CONNECT_SHIM:
        return this.#connectShim(client, payload);
      case ProxyCommand.DISCONNECT_SHIM:
        return this.#disconnectShim(client);
      case ProxyCommand.SIGNAL:
        return sendSignal(this.#pod, client, payload);
      default:
        throw new Error(`${proxyCommandName(opcode)} is not known`);
    }
  }

  /** Takes a frame of a stream. @throws Error when it is not a shim's, or not as it should be */
  takeStream(client: Client, opcode: number, payload: Uint8Array): void {
    if (opcode === ProxyStream.LOG) {
      const { level, source, containerId, msg } = parseLogEntry(payload);
      log(level, msg, { source, ...(containerId === undefined ? {} : { container: containerId }) });
      return;
    }
    const { session } = client;
    if (!session) throw new Error("a stream's frame from a client that is no shim");
    if (opcode === ProxyStream.ACKNOWLEDGE) {
      session.acknowledge(decodeAcknowledge(payload));
      this.#pod.pump(session);
    } else if (opcode !== ProxyStream.STDIN) throw new Error("output from a shim");
    else if (session.phase === "started") this.#pod.sendInput(client, session, payload);
    else if (session.keepInput(payload)) client.hold();
  }

  async #registerVm(client: Client, payload: Uint8Array): Promise<Answer> {
    const { containerId, ctlSerial, ioSerial, numIOStreams, exits } = parseRegisterVm(payload);
    const { identity } = this.#pod;
    if (identity) throw new Error(`this proxy has the VM of pod ${identity.containerId} already`);
    this.#pod.connect({ containerId, ctlSerial, ioSerial }, false);
    if (!this.#pod.isReady && !(await this.#pod.becameReady.wait(READY_MS, client))) {
      this.#pod.disconnect();
      throw new Error(`the agent of pod ${containerId} was not ready in time`);
    }
    log("info", `pod ${containerId} is registered`);
    client.wantsExits = exits ?? false;
    return this.#offer(numIOStreams);
  }

  #attachVm(client: Client, payload: Uint8Array): Answer {
    const { containerId, numIOStreams, exits } = parseAttachVm(payload);
    this.#check(containerId);
    client.wantsExits = exits ?? false;
    return this.#offer(numIOStreams);
  }

  #offer(count: number): Answer {
    const tokens = this.#pod.sessions.allocate(count).map(({ token }) => token);
    this.#pod.save();
    return encodeIoResponse({ url: this.#uri, tokens });
  }

  #unregisterVm(payload: Uint8Array): Answer {
    this.#check(parseUnregisterVm(payload).containerId);
    this.#pod.disconnect();
    callSoon(this.#onUnregistered);
    return undefined;
  }

  #check(containerId: string): void {
    if (this.#pod.identity?.containerId !== containerId)
      throw new Error(`this proxy has no VM of pod ${containerId}`);
  }

  async #connectShim(client: Client, payload: Uint8Array): Promise<Answer> {
    const { token, received, transient } = parseConnectShim(payload);
    if (client.session) throw new Error("this connection has a process already");
    const session = this.#pod.sessions.withToken(token);
    if (session.shim) await lookAgain(session.shim);
    if (!client.isOpen) throw new Error("the shim has gone meanwhile");
    const positions = session.connectShim(client, {
      ...(received ? { received } : {}),
      transient: transient ?? false,
    });
    client.session = session;
    // Behind the response, which is written when this has returned.
    callSoon(() => this.#pod.pump(session));
    return received ? encodeConnectShimResponse(positions) : undefined;
  }

  #disconnectShim(client: Client): Answer {
    const { session } = client;
    client.close();
    if (session) this.#pod.forget(session);
    return undefined;
  }
}

/** One that was killed may still have to be heard of. */
function lookAgain(shim: Client): Promise<void> {
  return new Promise((resolve) => {
    // In the turn after this one, which also knows what has happened since this one began.
    callSoon(() =>
      callSoon(() => {
        shim.closeIfGone();
        resolve();
      }),
    );
  });
}

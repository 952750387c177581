import type { Socket } from "node:net";
import { HuskError } from "@husk/virtcontainers";
import { connectSocket, withDeadline } from "@husk/virtcontainers/internals";
import {
  encodeShimCall,
  type ShimCallInput,
  type ShimEvent,
  ShimEventDecoder,
  type ShimFault,
  ShimProtocolError,
  type ShimState,
} from "@husk/wire/module-shim";

/** What a wait for a shim is bound by. */
export interface ShimLimits {
  /** milliseconds */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** A call that the shim has not done. */
export class ShimFaultError extends Error {
  readonly fault: ShimFault;

  constructor(fault: ShimFault) {
    super(fault.message);
    this.fault = fault;
  }
}

/** A connection to a container's shim, for one call. */
export class ShimConnection implements Disposable {
  readonly socket: Socket;
  readonly #decoder = new ShimEventDecoder();
  readonly #take: (event: ShimEvent) => void;
  readonly #lost = Promise.withResolvers<never>();

  private constructor(socket: Socket, take: (event: ShimEvent) => void) {
    this.socket = socket;
    this.#take = take;
    this.#lost.promise.catch(() => {});
    socket.on("data", (chunk) => this.#read(chunk));
    socket.on("error", () => {});
    socket.once("close", () => this.#lost.reject(shimLost("the shim has closed the connection")));
  }

  /**
   * Connects to a shim and asks it for something.
   * @param take what it says, as it comes
   * @throws RangeError when the call is longer than a frame; Error ENOENT or ECONNREFUSED when there is no shim; HuskError ERR_ABORTED
   */
  static async open(
    path: string,
    call: ShimCallInput,
    take: (event: ShimEvent) => void,
    signal?: AbortSignal,
  ): Promise<ShimConnection> {
    const frame = encodeShimCall(call);
    const connection = new ShimConnection(await connectSocket(path, signal), take);
    connection.socket.write(frame);
    return connection;
  }

  /** Fails when the connection ends, or the shim says what it may not. @throws HuskError ERR_SHIM_LOST */
  lost(): Promise<never> {
    return this.#lost.promise;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  #read(chunk: Buffer): void {
    try {
      for (const event of this.#decoder.push(chunk)) this.#take(event);
    } catch (error) {
      if (!(error instanceof ShimProtocolError)) throw error;
      this.#lost.reject(shimLost(`the shim does not keep to its protocol: ${error.message}`, error));
      this.socket.destroy();
    }
  }
}

/**
 * Asks a shim for something that it answers with its state.
 * @throws Error ENOENT or ECONNREFUSED when there is none; ShimFaultError; HuskError ERR_SHIM_LOST, ERR_TIMEOUT, ERR_ABORTED
 */
export async function callShim(path: string, call: ShimCallInput, limits: ShimLimits): Promise<ShimState> {
  const answer = Promise.withResolvers<ShimState>();
  const take = (event: ShimEvent) => {
    if (event.kind === "state") answer.resolve(event.state);
    else if (event.kind === "fault") answer.reject(new ShimFaultError(event.fault));
    else answer.reject(shimLost(`the shim answers ${call.method} with ${event.kind}`));
  };
  answer.promise.catch(() => {});
  using connection = await ShimConnection.open(path, call, take, limits.signal);
  return await withDeadline(Promise.race([answer.promise, connection.lost()]), {
    ms: limits.timeoutMs,
    signal: limits.signal,
    what: `the shim to answer ${call.method}`,
  });
}

function shimLost(text: string, cause?: unknown): HuskError {
  return new HuskError("ERR_SHIM_LOST", text, { cause });
}

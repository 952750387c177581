/** A connection on which methods of the agent are called. */
export interface RpcConnection {
  readonly closed: boolean;
  /**
   * Calls a method; gives its answer's message. The call is given up when `signal` fires.
   * @throws TtrpcError with the status of the answer; UNAVAILABLE when the connection has ended
   */
  call(service: string, method: string, payload: Uint8Array, limits: RpcLimits): Promise<Uint8Array>;
  /** Calls `closer` when the connection ends. */
  onClose(closer: () => void): void;
  close(): void;
}

/** Limits of one call, as the agent is told them. */
export interface RpcLimits {
  /** milliseconds; missing: none */
  readonly timeoutMs?: number | undefined;
  /** ends the wait for the answer */
  readonly signal?: AbortSignal | undefined;
}

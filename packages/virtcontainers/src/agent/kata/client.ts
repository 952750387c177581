import {
  decodeMessage,
  encodeMessage,
  type Method,
  type MethodName,
  ProtobufError,
  type RequestInitOf,
  type ResponseOf,
  type Service,
} from "@husk/wire/protobuf";
import { StatusCode, statusName, TtrpcError } from "@husk/wire/ttrpc";
import { withDeadline } from "../../deadline.ts";
import { type ErrorCode, HuskError } from "../../errors/index.ts";
import type { RpcConnection } from "../../grpc/rpc-connection.ts";
import { cleanText } from "../../untrusted-text.ts";

/** Limits of one call. */
export interface ClientLimits {
  /** milliseconds; missing: as long as the connection lives */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Longest text of an agent that is told, in characters. */
const MAX_TEXT = 500;

/** Errors for what an agent answers; all else is a refusal. */
const ERRORS: ReadonlyMap<number, ErrorCode> = new Map([
  [StatusCode.NOT_FOUND, "ERR_CONTAINER_NOT_FOUND"],
  [StatusCode.UNIMPLEMENTED, "ERR_NOT_SUPPORTED"],
  [StatusCode.UNAVAILABLE, "ERR_AGENT_DISCONNECTED"],
  [StatusCode.DEADLINE_EXCEEDED, "ERR_TIMEOUT"],
]);

/** Calls methods of an agent's services with messages, within deadlines, and makes errors of what is refused. */
export class KataClient {
  readonly #connection: RpcConnection;

  constructor(connection: RpcConnection) {
    this.#connection = connection;
  }

  get closed(): boolean {
    return this.#connection.closed;
  }

  /** Calls `closer` when the connection ends. */
  onClose(closer: () => void): void {
    this.#connection.onClose(closer);
  }

  close(): void {
    this.#connection.close();
  }

  /**
   * Calls a method.
   * @throws HuskError ERR_AGENT_REFUSED, ERR_CONTAINER_NOT_FOUND, ERR_NOT_SUPPORTED, ERR_AGENT_DISCONNECTED,
   *   ERR_AGENT_PROTOCOL, ERR_TIMEOUT, ERR_ABORTED. Its `cause` has the agent's status
   */
  async call<S extends Service, Name extends MethodName<S>>(
    service: S,
    name: Name,
    request: RequestInitOf<S, Name>,
    { timeoutMs, signal }: ClientLimits,
  ): Promise<ResponseOf<S, Name>> {
    const method = service.methods[name] as Method;
    const ended = new AbortController();
    const payload = encodeMessage(method.request, request as object);
    const limits = { timeoutMs, signal: ended.signal };
    const answer = this.#connection.call(service.name, name, payload, limits);
    const what = `the agent's answer to ${name}`;
    try {
      const bytes = await (timeoutMs === undefined && !signal
        ? answer
        : withDeadline(answer, { ms: timeoutMs ?? Number.POSITIVE_INFINITY, what, signal }));
      return decodeMessage(method.response, bytes) as ResponseOf<S, Name>;
    } catch (error) {
      // The agent is not told, but nobody waits any more.
      ended.abort();
      throw toHuskError(name, error);
    }
  }
}

function toHuskError(name: string, error: unknown): HuskError {
  if (error instanceof HuskError) return error;
  if (error instanceof ProtobufError) {
    const text = `the agent's answer to ${name} cannot be read: ${error.message}`;
    return new HuskError("ERR_AGENT_PROTOCOL", text, { cause: error });
  }
  if (!(error instanceof TtrpcError)) throw error;
  const { code } = error;
  if (code === StatusCode.UNAVAILABLE) {
    const text = "the connection to the guest's agent has ended";
    return new HuskError("ERR_AGENT_DISCONNECTED", text, { cause: error });
  }
  const words = cleanText(error.message).slice(0, MAX_TEXT).trim();
  const text = `the agent refused ${name}: ${words || statusName(code)}`;
  return new HuskError(programError(words) ?? ERRORS.get(code) ?? "ERR_AGENT_REFUSED", text, {
    cause: error,
  });
}

/** The error for a program that our own agent could not execute; others put it in other words. */
function programError(words: string): ErrorCode | undefined {
  const fault = /^program "[^"]*": (.*)$/s.exec(words)?.[1];
  if (fault === undefined) return undefined;
  return fault === "not found" ? "ERR_PROGRAM_NOT_FOUND" : "ERR_PROGRAM_NOT_EXECUTABLE";
}

/** Whether an error is the agent's answer with a status. */
export function hasStatus(error: unknown, code: number): boolean {
  return error instanceof HuskError && error.cause instanceof TtrpcError && error.cause.code === code;
}

/** Whether an error is how an agent tells the end of a process's output; its status differs between versions. */
export function isEndOfOutput(error: unknown): boolean {
  if (!(error instanceof HuskError) || !(error.cause instanceof TtrpcError)) return false;
  return error.cause.code === StatusCode.NOT_FOUND || /\beof$/i.test(error.cause.message.trim());
}

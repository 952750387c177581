/** A connection to Kata's agent, by way of its proxy or without one. */

import { Connection, errorText } from "@husk/tiny";
import { AgentService, Health } from "@husk/wire/kata";
import {
  decodeMessage,
  encodeMessage,
  type Message,
  type Method,
  type MethodName,
  type RequestInitOf,
  type ResponseOf,
  type Service,
} from "@husk/wire/protobuf";
import { StatusCode, TtrpcClient, TtrpcError, type TtrpcResponse } from "@husk/wire/ttrpc";
import { connectAgent } from "./agent-url.ts";

/** What our own agent has at the end of its version. */
const OWN_AGENT = /\+husk$/;

/** What a call is answered with: the method's message, or why there is none. Bytes in it are lent until this returns. */
export type Answered<Response> = (answer: Response | TtrpcError) => void;

/** See the head of the file. A call whose answer does not come before the end is not answered. */
export class AgentConnection {
  readonly #connection: Connection;
  readonly #client: TtrpcClient;
  readonly #onEnd: (reason: string) => void;
  #isOver = false;

  /** @param onEnd called once, when it has ended otherwise than by {@link close}. @throws Error when nobody listens */
  constructor(url: string, onEnd: (reason: string) => void) {
    this.#onEnd = onEnd;
    this.#connection = new Connection(connectAgent(url), {
      onBytes: (bytes) => this.#feed(bytes),
      onWritable: () => {},
      onEnd: (error) => this.#end(error ?? "the connection to the agent has ended"),
    });
    this.#client = new TtrpcClient({ send: (message) => this.#connection.write(message) });
  }

  /** Asks the agent who it is: whether it is ours. */
  greet(answered: Answered<{ isOurs: boolean }>): void {
    this.#start(Health, "Version", {}, (answer) =>
      answered(answer instanceof TtrpcError ? answer : { isOurs: OWN_AGENT.test(answer.agentVersion) }),
    );
  }

  /** Calls a method of the agent's service. */
  call<Name extends MethodName<typeof AgentService>>(
    name: Name,
    request: RequestInitOf<typeof AgentService, Name>,
    answered: Answered<ResponseOf<typeof AgentService, Name>>,
  ): void {
    this.#start(AgentService, name, request, answered);
  }

  /** Ends it. */
  close(): void {
    this.#isOver = true;
    this.#connection.close();
    this.#client.end();
  }

  #start<S extends Service, Name extends MethodName<S>>(
    service: S,
    name: Name,
    request: RequestInitOf<S, Name>,
    answered: Answered<ResponseOf<S, Name>>,
  ): void {
    if (this.#isOver) return;
    const method = service.methods[name] as Method;
    this.#client.start(service.name, name, encodeMessage(method.request, request as Message), (answer) => {
      if (!this.#isOver) answered(readAnswer(method, name, answer) as ResponseOf<S, Name> | TtrpcError);
    });
  }

  #feed(bytes: Uint8Array): void {
    try {
      this.#client.feed(bytes);
    } catch (error) {
      // Whatever it sends can end this connection at most.
      this.#end(errorText(error));
    }
  }

  #end(reason: string): void {
    if (this.#isOver) return;
    this.close();
    this.#onEnd(reason);
  }
}

/** @throws Error when the message cannot be read */
function readAnswer(
  { response }: Method,
  name: string,
  { status, payload }: TtrpcResponse,
): Message | TtrpcError {
  if (status.code !== StatusCode.OK) return new TtrpcError(status.code, status.message);
  try {
    return decodeMessage(response, payload);
  } catch (error) {
    throw new Error(`the agent's answer to ${name} cannot be read: ${errorText(error)}`);
  }
}

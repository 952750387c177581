/** Services as a ttrpc server has them: messages decoded, methods called, answers encoded. */

import { errorText } from "@husk/tiny";
import {
  decodeMessage,
  encodeBytesHead,
  encodeMessage,
  findMethod,
  type Message,
  type MessageInit,
  type Method,
  type MethodName,
  ProtobufError,
  type RequestOf,
  type ResponseInitOf,
  type Service,
} from "@husk/wire/protobuf";
import {
  StatusCode,
  type TtrpcAnswer,
  type TtrpcCall,
  TtrpcError,
  type TtrpcHandler,
} from "@husk/wire/ttrpc";
import { isLogged, log } from "../log.ts";
import { type PipeTail, TailedMessage } from "./pipe-tail.ts";

/** What a method is told besides its request. */
export type Call = Pick<TtrpcCall, "onAbandoned">;

/**
 * Methods of a service by their names; one that is left out is answered with UNIMPLEMENTED. What a method throws is the
 * text of the answer: a TtrpcError chooses its status, anything else has UNKNOWN.
 */
export type Methods<S extends Service> = {
  readonly [Name in MethodName<S>]?: (
    request: RequestOf<S, Name>,
    call: Call,
  ) => Answer<ResponseInitOf<S, Name>> | Promise<Answer<ResponseInitOf<S, Name>>>;
};

type Answer<Init> = Init | TailedMessage;
type AnyAnswer = Answer<MessageInit<Message>>;
type AnyMethod = (request: never, call: Call) => AnyAnswer | Promise<AnyAnswer>;

/** The methods as a ttrpc server calls them. */
export function makeService<S extends Service>(
  service: S,
  methods: Methods<S>,
): ReadonlyMap<string, TtrpcHandler<PipeTail>> {
  const handlers = new Map<string, TtrpcHandler<PipeTail>>();
  for (const [name, method] of Object.entries(methods as object as Record<string, AnyMethod>)) {
    const known = findMethod(service, name);
    if (known !== undefined) handlers.set(name, makeHandler(name, service.methods[known] as Method, method));
  }
  return handlers;
}

/** What the host is told of a failure. */
function explain(name: string, error: unknown): unknown {
  if (isLogged("info")) log("info", `${name}: ${errorText(error)}`);
  return error instanceof ProtobufError
    ? new TtrpcError(StatusCode.INVALID_ARGUMENT, `the request cannot be read: ${error.message}`)
    : error;
}

function encodeAnswer({ response }: Method, answer: AnyAnswer): TtrpcAnswer<PipeTail> {
  if (!(answer instanceof TailedMessage)) return encodeMessage(response, answer);
  const { field, tail } = answer;
  return { head: encodeBytesHead(field, tail.length), tail };
}

/** A method that answers at once is answered at once, so that its answers are seen to pile up. */
function makeHandler(name: string, method: Method, implementation: AnyMethod): TtrpcHandler<PipeTail> {
  return (call) => {
    try {
      const answer = implementation(decodeMessage(method.request, call.payload) as never, call);
      if (!(answer instanceof Promise)) return encodeAnswer(method, answer);
      return answer.then(
        (message) => encodeAnswer(method, message),
        (error: unknown) => {
          throw explain(name, error);
        },
      );
    } catch (error) {
      throw explain(name, error);
    }
  };
}

import type { Message, MessageInit, MessageType } from "./message-type.ts";

/** What a method is asked with, and what it answers with. */
export interface Method<Request extends Message = Message, Response extends Message = Message> {
  readonly request: MessageType<Request>;
  readonly response: MessageType<Response>;
}

/** A service: its name as in ttRPC's requests and gRPC's paths, and its methods by theirs. */
export interface Service {
  /** name with its package: `grpc.AgentService` */
  readonly name: string;
  readonly methods: Readonly<Record<string, Method>>;
}

/** Names of a service's methods. */
export type MethodName<S extends Service> = keyof S["methods"] & string;

/** What a method's server gets. */
export type RequestOf<S extends Service, Name extends MethodName<S>> =
  S["methods"][Name] extends Method<infer Request, Message> ? Request : never;

/** What a method's caller gets. */
export type ResponseOf<S extends Service, Name extends MethodName<S>> =
  S["methods"][Name] extends Method<Message, infer Response> ? Response : never;

/** What a method's caller gives. */
export type RequestInitOf<S extends Service, Name extends MethodName<S>> = MessageInit<RequestOf<S, Name>>;

/** What a method's server gives. */
export type ResponseInitOf<S extends Service, Name extends MethodName<S>> = MessageInit<ResponseOf<S, Name>>;

/** The method of a name that a peer has sent, or undefined when the service has none. */
export function findMethod<S extends Service>(service: S, name: string): MethodName<S> | undefined {
  return Object.hasOwn(service.methods, name) ? (name as MethodName<S>) : undefined;
}

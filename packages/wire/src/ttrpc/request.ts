import { FieldError, FieldReader, FieldWriter } from "./fields.ts";
import { MessageType, writeHeader } from "./frame.ts";
import { HEADER_BYTES, MAX_METADATA, MAX_NAME_BYTES } from "./limits.ts";

/** One pair of a request's metadata; a key may come more than once. */
export interface Metadata {
  key: string;
  value: string;
}

/** A call as it travels. */
export interface TtrpcRequest {
  /** full name of the service, such as `grpc.AgentService` */
  service: string;
  method: string;
  /** the method's own message */
  payload: Uint8Array;
  /** how long the caller waits, in nanoseconds; 0 for ever, below 0 not any more */
  timeoutNano: number;
  metadata: readonly Metadata[];
}

/** Fields of `ttrpc.Request` and of `ttrpc.KeyValue`. */
const [SERVICE, METHOD, PAYLOAD, TIMEOUT_NANO, METADATA] = [1, 2, 3, 4, 5];
const [KEY, VALUE] = [1, 2];

/** A request with its header. */
export function encodeRequest(request: TtrpcRequest, streamId: number): Uint8Array {
  const { service, method, payload, timeoutNano, metadata } = request;
  if (!Number.isSafeInteger(timeoutNano) || timeoutNano < 0) {
    throw new RangeError("a timeout is a whole number of nanoseconds");
  }
  const writer = new FieldWriter();
  writer
    .text(SERVICE, service)
    .text(METHOD, method)
    .bytes(PAYLOAD, payload)
    .number(TIMEOUT_NANO, timeoutNano);
  for (const { key, value } of metadata) {
    writer.message(METADATA, new FieldWriter().text(KEY, key).text(VALUE, value).finish());
  }
  return writeHeader(writer.finish(HEADER_BYTES), MessageType.REQUEST, streamId);
}

/** The request in a message's data; its payload is a view. @throws FieldError */
export function decodeRequest(data: Uint8Array): TtrpcRequest {
  const reader = new FieldReader(data);
  const metadata: Metadata[] = [];
  let [service, method, timeoutNano] = ["", "", 0];
  let payload: Uint8Array = new Uint8Array(0);
  for (let field = reader.next(); field > 0; field = reader.next()) {
    if (field === SERVICE) service = decodeName(reader.bytes());
    else if (field === METHOD) method = decodeName(reader.bytes());
    else if (field === PAYLOAD) payload = reader.bytes();
    else if (field === TIMEOUT_NANO) timeoutNano = reader.int64();
    else if (field === METADATA) {
      if (metadata.length >= MAX_METADATA)
        throw new FieldError(`there are more than ${MAX_METADATA} metadata`);
      metadata.push(decodePair(reader.bytes()));
    } else reader.skip();
  }
  return { service, method, payload, timeoutNano, metadata };
}

function decodePair(data: Uint8Array): Metadata {
  const reader = new FieldReader(data);
  const pair = { key: "", value: "" };
  for (let field = reader.next(); field > 0; field = reader.next()) {
    if (field === KEY) pair.key = decodeText(reader.bytes());
    else if (field === VALUE) pair.value = decodeText(reader.bytes());
    else reader.skip();
  }
  return pair;
}

function decodeName(bytes: Uint8Array): string {
  if (bytes.length > MAX_NAME_BYTES) throw new FieldError(`a name has ${bytes.length} bytes`);
  return decodeText(bytes);
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new FieldError("a text is not UTF-8");
  }
}

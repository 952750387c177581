import { FieldReader, FieldWriter } from "./fields.ts";
import { MessageType, writeHeader } from "./frame.ts";
import { HEADER_BYTES, MAX_STATUS_TEXT_BYTES } from "./limits.ts";
import type { Status } from "./status.ts";
import { StatusCode, statusName } from "./status.ts";

/** A call's answer as it travels. */
export interface TtrpcResponse {
  status: Status;
  /** the method's own message; empty when the call failed */
  payload: Uint8Array;
}

/** Fields of `ttrpc.Response` and of `google.rpc.Status`, whose details are not read. */
const [STATUS, PAYLOAD] = [1, 2];
const [CODE, MESSAGE] = [1, 2];

/** Bits that a byte of UTF-8 has that goes on with a character. */
const [CONTINUES_MASK, CONTINUES] = [0xc0, 0x80];

/**
 * A response with its header. One of a failure always has a text.
 *
 * @param tailBytes last bytes of the payload, which come behind what this gives
 */
export function encodeResponse(
  { status, payload }: TtrpcResponse,
  streamId: number,
  tailBytes = 0,
): Uint8Array {
  const { code } = status;
  const message = code === StatusCode.OK ? status.message : status.message || statusName(code);
  const bytes = new FieldWriter()
    .number(CODE, code)
    .bytes(MESSAGE, cutText(new TextEncoder().encode(message)))
    .finish();
  // The status stands there even if it is empty: older clients take a missing one for an error.
  const writer = new FieldWriter().message(STATUS, bytes);
  if (payload.length + tailBytes > 0) writer.message(PAYLOAD, payload, tailBytes);
  return writeHeader(writer.finish(HEADER_BYTES), MessageType.RESPONSE, streamId, tailBytes);
}

/** The response in a message's data; its payload is a view. A missing status is OK. @throws FieldError */
export function decodeResponse(data: Uint8Array): TtrpcResponse {
  const reader = new FieldReader(data);
  let status: Status = { code: StatusCode.OK, message: "" };
  let payload: Uint8Array = new Uint8Array(0);
  for (let field = reader.next(); field > 0; field = reader.next()) {
    if (field === STATUS) status = decodeStatus(reader.bytes());
    else if (field === PAYLOAD) payload = reader.bytes();
    else reader.skip();
  }
  return { status, payload };
}

function decodeStatus(data: Uint8Array): Status {
  const reader = new FieldReader(data);
  const status: Status = { code: StatusCode.OK, message: "" };
  for (let field = reader.next(); field > 0; field = reader.next()) {
    if (field === CODE) status.code = reader.int32();
    else if (field === MESSAGE) status.message = new TextDecoder().decode(cutText(reader.bytes()));
    else reader.skip();
  }
  return status;
}

/** The text without what is too long, and without half a character at its end. */
function cutText(text: Uint8Array): Uint8Array {
  if (text.length <= MAX_STATUS_TEXT_BYTES) return text;
  let end = MAX_STATUS_TEXT_BYTES;
  while (end > 0 && ((text[end] ?? 0) & CONTINUES_MASK) === CONTINUES) end -= 1;
  return text.subarray(0, end);
}

/**
 * Why bytes are not the message they should be.
 * - `ERR_PROTOBUF_TRUNCATED`: a field's value leads beyond the end of its message.
 * - `ERR_PROTOBUF_TAG`: a field's number or wire type is none that proto3 has.
 * - `ERR_PROTOBUF_VARINT`: a number goes on for more than ten bytes.
 * - `ERR_PROTOBUF_TEXT`: a string is not UTF-8.
 * - `ERR_PROTOBUF_LIMIT`: there are more elements than a decoder takes.
 */
export type ProtobufErrorCode =
  | "ERR_PROTOBUF_TRUNCATED"
  | "ERR_PROTOBUF_TAG"
  | "ERR_PROTOBUF_VARINT"
  | "ERR_PROTOBUF_TEXT"
  | "ERR_PROTOBUF_LIMIT";

/** Bytes that are not the message they should be. The text repeats nothing of what the peer sent: it is fit for a status. */
export class ProtobufError extends Error {
  override readonly name = "ProtobufError";
  /** stable reason */
  readonly code: ProtobufErrorCode;
  /** place of the fault: the message's name and the fields that lead there, `grpc.ExecProcessRequest.process.Args` */
  readonly path: string;

  constructor(code: ProtobufErrorCode, path: string, problem: string) {
    super(`${path}: ${problem}`);
    this.code = code;
    this.path = path;
  }
}

export { encodeRespCommand } from "./command.ts";
export { RespDecoder, type RespReply } from "./decoder.ts";

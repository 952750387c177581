import { MAX_EVENT_BYTES, MAX_FILE_BYTES, MAX_REQUEST_BYTES } from "../hyperstart/limits.ts";

/** The version of the protocol that is spoken here, the only one with these frames. */
export const PROTOCOL_VERSION = 2;

/** Bytes of a header as it is written here. A longer one is taken, and what is more is skipped. */
export const FRAME_HEADER_BYTES = 12;

/** Longest header in bytes: its length is one byte that counts words of four. */
export const MAX_FRAME_HEADER_BYTES = 255 * 4;

/** Longest payload of a command: a request for the agent, and the names around it. */
export const MAX_COMMAND_BYTES = MAX_REQUEST_BYTES + 16 * 1024;

/** Longest payload of a response: what the longest answer of an agent holds, a file. */
export const MAX_RESPONSE_BYTES = MAX_FILE_BYTES;

/** Longest payload of a stream's frame: a whole pipe. A shim sends 8 KiB at most, and the agent this much. */
export const MAX_STREAM_BYTES = 64 * 1024;

/** Longest payload of a notification: an event of the agent's. */
export const MAX_NOTIFICATION_BYTES = MAX_EVENT_BYTES;

/** Most tokens that one command asks for or carries. */
export const MAX_TOKENS = 1024;

/** Most characters of a token that is looked up. */
export const MAX_TOKEN_LENGTH = 128;

/** Longest text of an error or of a log's entry, in bytes. */
export const MAX_TEXT_BYTES = 8 * 1024;

/** Longest name of a command in a Hyper request, in bytes. */
export const MAX_HYPER_NAME_BYTES = 64;

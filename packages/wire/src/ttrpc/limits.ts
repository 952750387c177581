/** Bytes of a message's header. */
export const HEADER_BYTES = 10;

/** Longest message in bytes, header not counted; longer ones are dropped and answered with RESOURCE_EXHAUSTED. */
export const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

/** From this length on it is no message: the first byte of a header is always 0. */
export const RESERVED_LENGTH = 0x0100_0000;

/** Largest number of a stream. */
export const MAX_STREAM_ID = 0xffff_ffff;

/** Most calls of a connection that are not answered yet, unless told otherwise. */
export const MAX_CALLS = 1024;

/** Longest name of a service or a method, in bytes. */
export const MAX_NAME_BYTES = 255;

/** Most pairs of metadata in a request. */
export const MAX_METADATA = 128;

/** Longest text of a status in bytes; what is longer is cut, when it is sent and when it is read. */
export const MAX_STATUS_TEXT_BYTES = 8192;

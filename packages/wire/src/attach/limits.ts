/** Size of a frame's header: type u8, three bytes of zero, payload length u32. */
export const ATTACH_HEADER_BYTES = 8;

/** Longest payload of a frame, in bytes. */
export const MAX_ATTACH_PAYLOAD_BYTES = 64 * 1024;

/** Most bytes of output in one frame: their position stands before them. */
export const MAX_ATTACH_OUTPUT_BYTES = MAX_ATTACH_PAYLOAD_BYTES - 8;

/** Longest JSON of a hello or an exit, in bytes. */
export const MAX_ATTACH_JSON_BYTES = 16 * 1024;

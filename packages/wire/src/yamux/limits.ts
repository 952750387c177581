/** Bytes of a frame's header. */
export const HEADER_BYTES = 12;

/** What each side may send of a stream before it is told more, in bytes; both assume it, none can lower it. */
export const INITIAL_WINDOW_BYTES = 256 * 1024;

/** Largest window a peer may give us in all, in bytes: what the u32 of one update can name. */
export const MAX_WINDOW_BYTES = 0xffff_ffff;

/** Most data that we put into one frame, in bytes: with its header it is one write to a virtio port. */
export const MAX_DATA_BYTES = 32768 - HEADER_BYTES;

/** Most streams opened by one side that the other has not accepted yet, as hashicorp's library has it. */
export const ACCEPT_BACKLOG = 256;

/** Most streams that live at a time unless told otherwise. */
export const MAX_STREAMS = 1024;

/** Most frames without data that wait for a full sink. A peer that makes more of them reads nothing. */
export const MAX_HELD_FRAMES = 2048;

/** Most pings on their way; of more, the oldest are forgotten. */
export const MAX_PINGS = 16;

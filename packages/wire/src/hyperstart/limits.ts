/** Bytes before a control payload: u32 command, u32 total length, both big endian. */
export const CONTROL_HEADER_BYTES = 8;

/** Bytes before a stream frame's data: u64 stream sequence, u32 total length, both big endian. */
export const STREAM_HEADER_BYTES = 12;

/** Longest control frame a decoder takes unless told otherwise; the C agent has no bound at all. */
export const MAX_CONTROL_FRAME_BYTES = 16 * 1024 * 1024;

/** Longest stream frame a decoder takes unless told otherwise: a whole pipe (64 KiB) of data, and the header. */
export const MAX_STREAM_FRAME_BYTES = 65536 + STREAM_HEADER_BYTES;

/** Longest stream frame a host may send on virtio-serial, header included (hyperstart's buffer). */
export const HOST_STREAM_FRAME_BYTES = 4096;

/** Longest stream frame that our agent copies, header included: one write to a virtio port. */
export const GUEST_STREAM_FRAME_BYTES = 32768;

/** Largest stream sequence number taken: u64 on the wire, but an exact number here. */
export const MAX_STREAM_SEQ = Number.MAX_SAFE_INTEGER;

/** Largest value of the length field and the command code, both u32. */
export const MAX_U32 = 0xffff_ffff;

/** Longest JSON payload a host may send: twice what Linux lets one exec's arguments take. */
export const MAX_REQUEST_BYTES = 4 * 1024 * 1024;

/** Longest JSON payload of an event from the guest; the longest honest one is below 1,400 bytes. */
export const MAX_EVENT_BYTES = 4096;

/** Most elements of one array, and most keys of one map, in a payload. */
export const MAX_LIST_LENGTH = 4096;

/** Longest path in bytes: Linux PATH_MAX without its NUL. */
export const MAX_PATH_BYTES = 4095;

/** Longest argument or environment value in bytes: Linux MAX_ARG_STRLEN without its NUL. */
export const MAX_ARGUMENT_BYTES = 131071;

/** Longest name (user, group, device, DNS entry, …) in bytes. */
export const MAX_NAME_BYTES = 255;

/** Longest host name in bytes: Linux `__NEW_UTS_LEN`. */
export const MAX_HOSTNAME_BYTES = 64;

/** Highest signal number of Linux; 0 only asks whether the process exists. */
export const MAX_SIGNAL = 64;

/** Most bytes of an ERROR frame's text that are looked at. */
export const MAX_ERROR_TEXT_BYTES = 1024;

/** Most bytes of a file that READFILE gives: what fits one frame with room to spare. */
export const MAX_FILE_BYTES = 8 * 1024 * 1024;

/** Most processes of a container that PSCONTAINER lists. */
export const MAX_LISTED_PROCESSES = 4096;

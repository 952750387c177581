/** Bytes of answers that may wait for one connection; above that its requests wait. */
export const MAX_UNSENT_BYTES = 4 * 1024 * 1024;

/** Bytes of answers that may wait for one connection; above that its requests wait. */
export const MAX_UNSENT_BYTES = 1024 * 1024;

/** Most connections at a time through one door. A host needs one; more are for those that it lets in. */
export const MAX_CONNECTIONS = 128;

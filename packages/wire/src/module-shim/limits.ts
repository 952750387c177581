/** Version of plan.json and state.json. */
export const SHIM_FILE_VERSION = 1;

/** Largest plan.json that is read, in bytes. */
export const MAX_SHIM_PLAN_BYTES = 1024 * 1024;

/** Largest state.json that is read, in bytes. */
export const MAX_SHIM_STATE_BYTES = 64 * 1024;

/** Longest line in which a shim tells how the start went, in bytes. */
export const MAX_START_REPORT_BYTES = 16 * 1024;

/** Longest text in which a shim says what was wrong, in bytes. */
export const MAX_SHIM_TEXT_BYTES = 4096;

export const DEVICE_HANDLERS: readonly string[] = [];
export const STORAGE_DRIVERS: readonly string[] = [];

/** A limit for tests that boot VMs: it ends one that hangs, and says nothing about speed. */
export const VM_TEST = { timeout: 120_000 };

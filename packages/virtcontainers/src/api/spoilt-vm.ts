/** A VM that was ready-made, waiting or a template, cannot be used: another one will do as well. */
export class SpoiltVmError extends Error {}

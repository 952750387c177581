/** Something is wrong with what the user typed or with where it was typed; nothing has been done yet. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  /** stable name of the error */
  readonly code = "ERR_USAGE";
  /** what the user can do about it */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

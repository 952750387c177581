/** A payload that does not say what its command needs. The text is fit for an ERROR reply. */
export class PayloadError extends Error {
  override readonly name = "PayloadError";
  /** stable reason */
  readonly code = "ERR_PAYLOAD";
  /** place of the fault, `"process.args[3]"`, or `""` for the payload as a whole */
  readonly path: string;

  constructor(path: string, problem: string) {
    super(path === "" ? problem : `${path}: ${problem}`);
    this.path = path;
  }
}

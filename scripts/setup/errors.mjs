/** The set-up cannot go on; the message says why, for a person. */
export class SetupError extends Error {
  /**
   * @param {string} message what went wrong
   * @param {{ hint?: string, output?: string }} [details] what the user can do, and a command's last words
   */
  constructor(message, { hint = "", output = "" } = {}) {
    super(message);
    this.name = "SetupError";
    /** what the user can do about it; empty when nothing is known */
    this.hint = hint;
    /** last lines of the command that failed; empty when there was none */
    this.output = output;
  }
}

/** The peer does not speak the attach protocol, or not any more: the connection is to be closed. */
export class AttachProtocolError<Message = unknown> extends Error {
  override readonly name = "AttachProtocolError";
  /** complete messages of the same push that came before the bad one, oldest first */
  readonly messages: readonly Message[];

  constructor(problem: string, messages: readonly Message[] = []) {
    super(problem);
    this.messages = messages;
  }
}

/** What a command is given by the command line, and gives back to it. */
export interface CommandContext {
  /** Says what husk's exit status is to be; 0 when never called. */
  exitWith(status: number): void;
}

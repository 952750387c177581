import * as sys from "tiny:sys";
import { encodeToken, TOKEN_BYTES } from "@husk/wire/cc-proxy";
import { Session } from "./session.ts";

/** Streams of processes that come without a token: their output is dropped. */
export const NULL_STREAMS = { stdio: 1, stderr: 2 } as const;

/** Number of the first session's stream: those before are {@link NULL_STREAMS}. */
const FIRST_SEQ = 3;
/** Numbers of a session: of its input and output, and of its error output. */
const SEQS_PER_SESSION = 2;

/** Most sessions at a time: what a client may make the proxy keep. */
const MAX_SESSIONS = 16_384;

/** All sessions, by token and by stream. */
export class SessionTable {
  readonly #byToken = new Map<string, Session>();
  readonly #byStream = new Map<number, Session>();
  #nextSeq = FIRST_SEQ;

  /** Number that the next session has. */
  get nextSeq(): number {
    return this.#nextSeq;
  }

  /** Goes on from another proxy's number. */
  continueFrom(nextSeq: number): void {
    this.#nextSeq = Math.max(this.#nextSeq, nextSeq);
  }

  /** Makes sessions with new tokens. @throws Error when there are too many */
  allocate(count: number): Session[] {
    if (this.#byToken.size + count > MAX_SESSIONS)
      throw new Error(`there are more than ${MAX_SESSIONS} tokens in use`);
    return Array.from({ length: count }, () => {
      const random = new Uint8Array(TOKEN_BYTES);
      sys.getrandom(random);
      const session = new Session(encodeToken(random), this.#nextSeq);
      this.#nextSeq += SEQS_PER_SESSION;
      this.add(session);
      return session;
    });
  }

  add(session: Session): void {
    this.#byToken.set(session.token, session);
    this.#byStream.set(session.stdio, session);
    this.#byStream.set(session.stderr, session);
  }

  remove(session: Session): void {
    this.#byToken.delete(session.token);
    this.#byStream.delete(session.stdio);
    this.#byStream.delete(session.stderr);
  }

  /** @throws Error when no session has it */
  withToken(token: string): Session {
    const session = this.#byToken.get(token);
    if (!session) throw new Error("no process has this token");
    return session;
  }

  withStream(seq: number): Session | undefined {
    return this.#byStream.get(seq);
  }

  /** The session of a process that has not ended yet, by its ids. */
  ofProcess(container: string, id: string): Session | undefined {
    return this.all.find(
      ({ process, exitCode }) =>
        exitCode === undefined && process?.container === container && process.id === id,
    );
  }

  get all(): Session[] {
    return [...this.#byToken.values()];
  }
}

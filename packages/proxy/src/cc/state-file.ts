/** What a proxy must know of the one before it: the VM, and the processes by their tokens. */

import * as sys from "tiny:sys";
import { errorText, O_CREAT, O_TRUNC, O_WRONLY, readTextIfThere, withFile, writeAll } from "@husk/tiny";
import { PROXY_STATE_VERSION, type ProxyVm } from "@husk/wire/cc-proxy";
import { log } from "../core/log.ts";
import { type Phase, Session, type SessionProcess } from "./session.ts";
import type { SessionTable } from "./session-table.ts";

/** Longest state that is read, in bytes: about 300 for each session. */
const MAX_STATE_BYTES = 8 * 1024 * 1024;

interface StoredSession {
  token: string;
  seq: number;
  phase: Phase;
  process?: SessionProcess;
  isTransient: boolean;
  outputEnded: boolean;
  exitCode?: number;
}

/** See the head of the file. */
export interface ProxyState {
  version: number;
  vm: ProxyVm;
  /** what its guest did wrong: nobody is to go on with it */
  fault?: string | undefined;
  /** first stream number that was not given away */
  nextSeq: number;
  sessions: StoredSession[];
}

/** Writes it in the place of what was there: whole, or not at all. */
export function writeState(
  path: string,
  pod: Pick<ProxyState, "vm" | "fault">,
  sessions: SessionTable,
): void {
  const state: ProxyState = {
    version: PROXY_STATE_VERSION,
    ...pod,
    nextSeq: sessions.nextSeq,
    sessions: sessions.all.map(storedOf),
  };
  const made = `${path}.new`;
  try {
    withFile(made, O_WRONLY | O_CREAT | O_TRUNC, 0o600, (fd) =>
      writeAll(fd, sys.encodeUtf8(JSON.stringify(state))),
    );
    sys.rename(made, path);
  } catch (error) {
    // The pod can do without, as long as this proxy lives.
    log("error", `${path} cannot be written: ${errorText(error)}`);
  }
}

/** Reads it; undefined when there is none. @throws Error when it is no such state */
export function readState(path: string): ProxyState | undefined {
  const text = readTextIfThere(path, MAX_STATE_BYTES);
  if (text === undefined) return undefined;
  const state = JSON.parse(text) as Partial<ProxyState>;
  if (state.version !== PROXY_STATE_VERSION || !state.vm || !Array.isArray(state.sessions))
    throw new Error(`${path} is not the state of a proxy of version ${PROXY_STATE_VERSION}`);
  return state as ProxyState;
}

/** Makes the sessions anew. */
export function restoreSessions(state: ProxyState, sessions: SessionTable): void {
  sessions.continueFrom(state.nextSeq);
  for (const { token, seq, phase, process, isTransient, outputEnded, exitCode } of state.sessions) {
    const session = new Session(token, seq);
    session.phase = phase;
    session.process = process;
    session.isTransient = isTransient;
    session.outputEnded = outputEnded;
    session.exitCode = exitCode;
    session.isRestored = true;
    sessions.add(session);
  }
}

function storedOf(session: Session): StoredSession {
  const { token, stdio: seq, phase, process, isTransient, outputEnded, exitCode } = session;
  return {
    token,
    seq,
    phase,
    ...(process ? { process } : {}),
    isTransient,
    outputEnded,
    ...(exitCode === undefined ? {} : { exitCode }),
  };
}

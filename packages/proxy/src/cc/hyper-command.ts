/** Hyper: a command for the agent, passed on. One that starts a process gets the streams of its token. */

import {
  commandOfHyperName,
  parseHyperRequest,
  readRequestedProcess,
  withStreams,
} from "@husk/wire/cc-proxy";
import { Command, decodeErrorText, hostCommandName } from "@husk/wire/hyperstart";
import type { Answer, Client } from "./client.ts";
import type { Pod } from "./pod.ts";
import type { Session, SessionProcess } from "./session.ts";
import { NULL_STREAMS } from "./session-table.ts";

/** Milliseconds that a shim may take to come for its process before that is started. */
const SHIM_MS = 30_000;

/** Does it. @throws Error with a text for the client, also when the agent refuses */
export async function runHyperRequest(pod: Pod, client: Client, payload: Uint8Array): Promise<Answer> {
  const { hyperName, tokens, data } = parseHyperRequest(payload);
  const command = commandOfHyperName(hyperName);
  if (command === undefined) throw new Error(`${JSON.stringify(hyperName)} is no command of the agent`);
  const requested = readRequestedProcess(command, data);
  if (!requested || !data) {
    if (tokens.length > 0) throw new Error(`${hyperName} makes no process, and takes no token`);
    return ask(pod, command, data);
  }
  const [token, ...more] = tokens;
  if (more.length > 0) throw new Error(`${hyperName} makes one process, and takes one token`);
  const streamsOf = (stdio: number, stderr: number) =>
    withStreams(data, stdio, requested.terminal ? 0 : stderr);
  if (token === undefined) return ask(pod, command, streamsOf(NULL_STREAMS.stdio, NULL_STREAMS.stderr));
  const session = pod.sessions.withToken(token);
  const process = { ...requested, isFirst: command === Command.NEWCONTAINER };
  await claim(pod, client, session, process);
  return start(pod, session, () => ask(pod, command, streamsOf(session.stdio, session.stderr)));
}

/** A process has one token, and its shim is there before it begins. */
async function claim(pod: Pod, client: Client, session: Session, process: SessionProcess): Promise<void> {
  if (session.phase !== "allocated") throw new Error("this token has a process already");
  session.phase = "starting";
  const hasShim = session.shim !== undefined || (await session.shimCame.wait(SHIM_MS, client));
  if (!hasShim) {
    session.phase = "allocated";
    throw new Error(`no shim came for the token within ${SHIM_MS / 1000} s`);
  }
  session.process = process;
  pod.save();
}

async function start(pod: Pod, session: Session, request: () => Promise<Answer>): Promise<Answer> {
  try {
    const answer = await request();
    pod.setStarted(session);
    return answer;
  } catch (error) {
    session.phase = "allocated";
    session.process = undefined;
    pod.save();
    throw error;
  }
}

async function ask(pod: Pod, command: number, data?: object): Promise<Answer> {
  const { ok, payload } = await pod.request(command, data && JSON.stringify(data));
  if (ok) return payload;
  const text = decodeErrorText(payload);
  throw new Error(`the agent refused ${hostCommandName(command)}${text && `: ${text}`}`);
}

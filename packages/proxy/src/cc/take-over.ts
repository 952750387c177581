/** What a proxy does that comes in the place of a dead one: it takes the VM over, and asks which processes still run. */

import { startTimer } from "@husk/tiny";
import { Command } from "@husk/wire/hyperstart";
import { log } from "../core/log.ts";
import { describe, type Pod } from "./pod.ts";
import type { Session } from "./session.ts";
import { type ProxyState, restoreSessions } from "./state-file.ts";

/** Exit code of a process of which nobody knows any more how it ended. */
const UNKNOWN_EXIT = 255;
/** Connections to an agent that does not answer. With hosts that come and go, one was once left without any answer. */
const ATTEMPTS = 3;
/** Milliseconds that an agent may take to answer, under emulation and load. */
const ANSWER_MS = 20_000;

/** Milliseconds that shims in whose place nobody comes have for coming back. */
const RETURN_MS = 10_000;

const NOTHING = new Uint8Array(0);

/** Takes the pod over. @throws Error when its VM does not answer */
export async function takeOver(pod: Pod, state: ProxyState): Promise<void> {
  if (state.fault !== undefined) throw new Error(state.fault);
  restoreSessions(state, pod.sessions);
  await connect(pod, state);
  log("warn", `pod ${state.vm.containerId} is taken over from another proxy`);
  const open = pod.sessions.all.filter(({ phase, hasEnded }) => phase !== "allocated" && !hasEnded);
  for (const session of open) await settle(pod, session);
  pod.save();
  startTimer(RETURN_MS, () => {
    for (const session of open) pod.abandon(session);
  });
}

async function connect(pod: Pod, { vm }: ProxyState): Promise<void> {
  const nobody = { onGone: () => () => {} };
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    pod.connect(vm, true);
    if (pod.isReady || (await pod.becameReady.wait(ANSWER_MS, nobody))) return;
    pod.disconnect();
  }
  throw new Error(`the agent of pod ${vm.containerId} does not answer`);
}

/** Finds out what became of a process while nobody listened. */
async function settle(pod: Pod, session: Session): Promise<void> {
  const isThere = await ask(pod, session);
  if (!isThere && session.phase === "starting") {
    // The command that was to start it had not reached the agent, or was refused. Whoever sent it has seen its proxy die.
    session.phase = "allocated";
    session.process = undefined;
    return;
  }
  if (session.phase === "starting") pod.setStarted(session);
  if (!isThere && session.exitCode === undefined) {
    log("error", "a process has ended unheard; its exit code is lost", describe(session));
    session.exitCode = UNKNOWN_EXIT;
  }
  // An agent answers input of a stream that it does not know with that stream's end, which may have been missed.
  if (session.exitCode !== undefined && !session.outputEnded) pod.sendRawInput(session, NOTHING);
  pod.pump(session);
}

/** Whether the agent knows the process. */
async function ask(pod: Pod, { process }: Session): Promise<boolean> {
  if (!process) return false;
  const { container, id, isFirst } = process;
  if (id === undefined && !isFirst) return true;
  const reply =
    id === undefined
      ? await pod.request(Command.KILLCONTAINER, JSON.stringify({ container, signal: 0 }))
      : await pod.request(Command.SIGNALPROCESS, JSON.stringify({ container, process: id, signal: 0 }));
  return reply.ok;
}

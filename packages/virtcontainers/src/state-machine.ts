import { HuskError } from "./errors/index.ts";
import type { State } from "./types/index.ts";

/** Where each state may lead. Nothing moves back to ready. */
const TRANSITIONS: Record<State, readonly State[]> = {
  ready: ["running", "stopped"],
  running: ["paused", "stopped"],
  paused: ["running", "stopped"],
  stopped: ["running"],
};

/** Whether a pod or container may go from one state to the other. */
export function canMove(from: State, to: State): boolean {
  return TRANSITIONS[from].includes(to);
}

/** What an error about a state is about. */
export interface Subject {
  readonly podId: string;
  readonly containerId?: string | undefined;
}

function nameOf({ podId, containerId }: Subject): string {
  return containerId === undefined ? `pod "${podId}"` : `container "${containerId}" of pod "${podId}"`;
}

/** @throws HuskError ERR_STATE_INVALID when the move is not in the table */
export function checkMove(subject: Subject, from: State, to: State): void {
  if (canMove(from, to)) return;
  throw new HuskError("ERR_STATE_INVALID", `${nameOf(subject)} is ${from} and cannot become ${to}`, subject);
}

/** @throws HuskError ERR_STATE_INVALID when the state is none of those that a call needs */
export function checkState(subject: Subject, state: State, needed: readonly State[], purpose: string): void {
  if (needed.includes(state)) return;
  const text = `${nameOf(subject)} is ${state}; it must be ${needed.join(" or ")} ${purpose}`;
  throw new HuskError("ERR_STATE_INVALID", text, { ...subject, hint: hintOf(subject, state) });
}

/** Callers look at the pod first: a paused container of a pod that is not is paused by itself. */
function hintOf({ podId, containerId }: Subject, state: State): string | undefined {
  if (state !== "paused") return undefined;
  if (containerId === undefined) return "Resume the pod first: resumePod, or `husk resume`.";
  return `Resume the container first: resumeContainer, or \`husk resume ${podId}/${containerId}\`.`;
}

/** Hooks of the OCI specification: programs that are run at certain points of a container's life, with its state as input. */

import * as sys from "tiny:sys";
import { onExit } from "@husk/tiny";
import type { Hook, Hooks } from "@husk/wire/kata";
import { startChild } from "../start-child.ts";
import { runProgram } from "./run-program.ts";
import { checkPath, checkText, quote, specFault } from "./spec-fault.ts";

/** Names of the points, in order. */
const HOOK_POINTS = [
  "prestart",
  "createRuntime",
  "createContainer",
  "startContainer",
  "poststart",
  "poststop",
] as const;

export type HookPoint = (typeof HOOK_POINTS)[number];

/** The hooks of a container. */
export type HookPlan = Readonly<Record<HookPoint, readonly Hook[]>>;

/** Seconds that a hook has which names none: less than a container has to be set up. */
const DEFAULT_SECONDS = 30;
const MAX_SECONDS = 86_400;
/** Most hooks of a point. */
const MAX_HOOKS = 64;
/** Milliseconds that the agent gives the runner of hooks beyond their own time. */
const SLACK_MS = 5000;

function checkHook(point: HookPoint, hook: Hook): void {
  checkPath(`the path of a ${point} hook`, hook.Path);
  for (const text of [...hook.Args, ...hook.Env]) checkText(`${point} hook ${quote(hook.Path)}`, text);
  if (hook.Timeout < 0n || hook.Timeout > BigInt(MAX_SECONDS))
    throw specFault(`${point} hook ${quote(hook.Path)}: a timeout of ${hook.Timeout} seconds`);
}

/**
 * The hooks of a specification, then those of the guest.
 *
 * @throws TtrpcError INVALID_ARGUMENT for one that cannot be run
 */
export function planHooks(hooks: Hooks | undefined, guest: Partial<HookPlan>): HookPlan {
  const own: HookPlan = {
    prestart: hooks?.Prestart ?? [],
    createRuntime: hooks?.CreateRuntime ?? [],
    createContainer: hooks?.CreateContainer ?? [],
    startContainer: hooks?.StartContainer ?? [],
    poststart: hooks?.Poststart ?? [],
    poststop: hooks?.Poststop ?? [],
  };
  const all: Record<HookPoint, readonly Hook[]> = { ...own };
  for (const point of HOOK_POINTS) {
    if (own[point].length > MAX_HOOKS) throw specFault(`more than ${MAX_HOOKS} ${point} hooks`);
    for (const hook of own[point]) checkHook(point, hook);
    all[point] = [...own[point], ...(guest[point] ?? [])];
  }
  return all;
}

/** What a container tells its hooks of itself. */
export interface HookState {
  ociVersion: string;
  id: string;
  status: "creating" | "created" | "running" | "stopped";
  /** of the first process; 0 when there is none */
  pid: number;
  bundle: string;
  annotations: Record<string, string>;
}

function timeoutOf({ Timeout }: Hook): number {
  return 1000 * (Number(Timeout) || DEFAULT_SECONDS);
}

/** Runs hooks in turn, in a child, which waits for them. @throws Error naming the first one that fails */
export function runHooksHere(point: HookPoint, hooks: readonly Hook[], state: HookState): void {
  for (const hook of hooks) {
    const args = hook.Args.length > 0 ? hook.Args : [hook.Path];
    const fault = runProgram({
      ...{ path: hook.Path, args, environment: hook.Env },
      input: JSON.stringify(state),
      timeoutMs: timeoutOf(hook),
    });
    if (fault !== undefined) throw new Error(`${point} hook ${quote(hook.Path)}: ${fault}`);
  }
}

/** Runs hooks in turn, in the agent's own namespaces. @throws Error naming the first one that fails */
export async function runHooks(point: HookPoint, hooks: readonly Hook[], state: HookState): Promise<void> {
  if (hooks.length === 0) return;
  const deadlineMs = hooks.reduce((sum, hook) => sum + timeoutOf(hook), SLACK_MS);
  const child = startChild(
    (course) => {
      course.keepOnly([0, 1, 2]);
      runHooksHere(point, hooks, state);
      sys.exit(0);
    },
    { deadlineMs },
  );
  const ended = new Promise<number>((resolve) => onExit(child.pid, resolve));
  await child.started;
  if ((await ended) !== 0) throw new Error(`the ${point} hooks were killed`);
}

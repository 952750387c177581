import { HuskError } from "../errors/index.ts";
import { type GroupEnd, runGroupProcess } from "../group-process.ts";
import type { Hook } from "../types/index.ts";
import { cleanText } from "../untrusted-text.ts";
import type { OciState } from "./oci-state.ts";

/**
 * Runs a hook and waits until it has ended. It gets the pod's state on its standard input and the environment that it is
 * given, nothing else. One that overruns its timeout, or whose call is aborted, is killed with its process group.
 * @param what what it is called in errors: "the PreStart hook"
 * @throws HuskError ERR_HOOK_FAILED with its output, ERR_HOOK_TIMEOUT, ERR_ABORTED
 */
export async function runHook(
  hook: Hook,
  state: OciState,
  what: string,
  signal?: AbortSignal,
): Promise<void> {
  const { path, timeout } = hook;
  const [argv0 = path, ...args] = hook.args ?? [];
  const end = await runGroupProcess({
    program: path,
    args,
    argv0,
    env: Object.fromEntries((hook.env ?? []).map(splitVariable)),
    input: `${JSON.stringify(state)}\n`,
    limitMs: timeout ? timeout * 1000 : undefined,
    signal,
  });
  const { problem, killedFor } = end;
  if (problem === undefined) return;
  const isLate = killedFor === "timeout";
  const why = isLate ? `did not end within ${timeout} s and was killed` : problem;
  const text = `${what} ${path} ${why}${outputText(end)}`;
  throw new HuskError(isLate ? "ERR_HOOK_TIMEOUT" : "ERR_HOOK_FAILED", text, { podId: state.id });
}

function outputText({ stdout, stderr }: GroupEnd): string {
  const parts = Object.entries({ stdout, stderr }).map(([name, output]) => {
    const text = cleanText(output).trim();
    return text === "" ? "" : `; ${name}: ${text}`;
  });
  return parts.join("");
}

function splitVariable(variable: string): [name: string, value: string] {
  const at = variable.indexOf("=");
  return [variable.slice(0, at), variable.slice(at + 1)];
}

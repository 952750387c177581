/** The namespaces of an agent that is tested, without its help. */

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { KataSession } from "./kata-session.ts";

const run = promisify(execFile);

/** Runs a program of this host in the agent's namespaces; gives its output. It must succeed. */
export async function runInside(session: KataSession, ...command: string[]): Promise<string> {
  const { stdout } = await run("nsenter", ["--all", "--target", String(session.agentPid), ...command]);
  return stdout;
}

/** Where this host sees a path of the agent's. */
export function insidePath(session: KataSession, path: string): string {
  return join(`/proc/${session.agentPid}/root`, path);
}

import assert from "node:assert/strict";
import type { Session } from "./session.ts";

/** For processes of the agent's own namespaces: where this host has its programs. */
export const OWN_PATH = { envs: [{ env: "PATH", value: "/usr/sbin:/usr/bin:/sbin:/bin" }] };

/** Runs a program of this host in the agent's own namespaces; gives its output. It must succeed. */
export async function runOwn(session: Session, ...args: string[]): Promise<string> {
  const process = await session.exec(args, OWN_PATH);
  const { code, stdout, stderr } = await process.result();
  assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
  return stdout;
}

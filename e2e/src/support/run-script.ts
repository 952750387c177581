import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { type Cmd, enterContainer } from "@husk/virtcontainers";
import type { Workplace } from "./workplace.ts";

/** How a script in a container ended. */
export interface ScriptResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a shell script in a container of busybox. `more`: of its command. */
export async function tryScript(
  place: Workplace,
  podId: string,
  containerId: string,
  script: string,
  more: Partial<Cmd> = {},
): Promise<ScriptResult> {
  const cmd = { args: ["/bin/sh", "-c", script], envs: [{ var: "PATH", value: "/bin:/sbin" }], ...more };
  const { process } = await enterContainer(podId, containerId, cmd, { ...place.options, attach: true });
  const { stdout, stderr } = process.io;
  assert.ok(stderr);
  const [out, err] = await Promise.all([text(stdout), text(stderr)]);
  const { exitCode } = await process.io.wait();
  return { exitCode, stdout: out, stderr: err };
}

/** Runs a shell script that must succeed, and gives its output. */
export async function runScript(
  place: Workplace,
  podId: string,
  containerId: string,
  script: string,
  more: Partial<Cmd> = {},
): Promise<string> {
  const { exitCode, stdout, stderr } = await tryScript(place, podId, containerId, script, more);
  assert.equal(exitCode, 0, stderr);
  return stdout;
}

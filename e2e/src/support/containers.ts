import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { type Cmd, enterContainer } from "@husk/virtcontainers";
import type { Workplace } from "./workplace.ts";

/** Runs a script in a container and gives its output; the test fails when the script does. */
export async function runIn(
  place: Workplace,
  podId: string,
  containerId: string,
  script: string,
  more: Partial<Cmd> = {},
): Promise<string> {
  const cmd = { args: ["/bin/sh", "-c", script], envs: [{ var: "PATH", value: "/bin" }], ...more };
  const { process: entered } = await enterContainer(podId, containerId, cmd, {
    ...place.options,
    attach: true,
  });
  const [output] = await Promise.all([text(entered.io.stdout), entered.io.stderr?.resume()]);
  const { exitCode } = await entered.io.wait();
  assert.equal(exitCode, 0, output);
  return output;
}

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { runScript } from "./run-script.ts";
import { LIMIT } from "./vm-test.ts";
import type { Workplace } from "./workplace.ts";

/** A container with `traffic`, and a network namespace of the host that it can reach. */
export interface TrafficPair {
  readonly place: Workplace;
  readonly podId: string;
  readonly containerId: string;
  /** path of the namespace */
  readonly netNSPath: string;
  /** `traffic` for the host's side */
  readonly program: string;
}

async function digest(stream: Readable): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of stream) hash.update(chunk);
  return hash.digest("hex");
}

/** Runs `traffic` in the pair's namespace, as a listener. Resolves when it listens. */
async function listen({ netNSPath, program }: TrafficPair, port: number, verb: readonly string[]) {
  const args = [`--net=${netNSPath}`, "--", program, "listen", String(port), ...verb];
  const child = spawn("nsenter", args, { stdio: ["ignore", "pipe", "pipe"], ...LIMIT });
  const ended = once(child, "exit");
  const received = digest(child.stdout);
  await once(child.stderr, "data");
  child.stderr.resume();
  return { received, ended };
}

/**
 * Carries so many bytes from the container to an address of the namespace, and as many back, and checks that they come
 * unchanged.
 */
export async function checkTraffic(pair: TrafficPair, address: string, bytes: number): Promise<void> {
  const { place, podId, containerId, program } = pair;
  const port = 5201;
  const written = execFileSync(program, ["write", `${bytes}`], { maxBuffer: 2 * bytes });
  const expected = createHash("sha256").update(written).digest("hex");
  const connect = `traffic connect ${address} ${port}`;
  const receiver = await listen(pair, port, ["receive", "-"]);
  await runScript(place, podId, containerId, `${connect} send ${bytes}`);
  assert.equal(await receiver.received, expected);
  await receiver.ended;
  const sender = await listen(pair, port, ["send", `${bytes}`]);
  const received = await runScript(place, podId, containerId, `${connect} receive - | sha256sum`);
  assert.equal(received.split(" ")[0], expected);
  await sender.ended;
}

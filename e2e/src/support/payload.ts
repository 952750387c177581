import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { enterContainer } from "@husk/virtcontainers";
import { CollectedOutput } from "./collected-output.ts";
import { spawnIn, type TestNamespace } from "./network-namespaces.ts";
import { runScript } from "./run-script.ts";
import type { Workplace } from "./workplace.ts";

/** Bytes that are carried to prove that a network carries them unchanged. */
export interface Payload {
  readonly bytes: number;
  /** SHA-256 */
  readonly digest: string;
}

/** A container that has `traffic`. */
export interface TrafficPlace {
  readonly place: Workplace;
  readonly podId: string;
  readonly containerId: string;
}

/** Where `traffic` runs outside of the pod. */
export interface TrafficPeer {
  readonly namespace: Pick<TestNamespace, "path">;
  /** `traffic`, a static program */
  readonly program: string;
}

/** Nothing else listens in namespaces of tests. */
const PORT = 7000;

/** What `traffic` sends when it is told to send so many bytes. */
export function makePayload(program: string, bytes: number): Payload {
  const sent = execFileSync(program, ["write", String(bytes)], { maxBuffer: bytes + 1024 });
  return { bytes, digest: createHash("sha256").update(sent).digest("hex") };
}

/** A process of the pod connects to one outside and sends. @param address of the peer */
export async function carryOut(
  from: TrafficPlace,
  to: TrafficPeer,
  address: string,
  payload: Payload,
): Promise<void> {
  const peer = startPeer(to, ["listen", String(PORT), "receive", "-"]);
  const digest = digestOf(peer.stdout);
  await peer.stderr.waitFor(/listening/);
  await runScript(
    from.place,
    from.podId,
    from.containerId,
    `traffic connect ${address} ${PORT} send ${payload.bytes} 2>&1`,
  );
  await peer.ended();
  assert.equal(await digest, payload.digest, `to ${address}`);
}

/** A process outside connects to one of the pod and sends. @param address of the pod */
export async function carryIn(
  to: TrafficPlace,
  from: TrafficPeer,
  address: string,
  payload: Payload,
): Promise<void> {
  await (await beginCarryIn(to, from, address, payload)).carried;
}

/** The same; resolves when the sender has been started. */
export async function beginCarryIn(
  to: TrafficPlace,
  from: TrafficPeer,
  address: string,
  payload: Payload,
): Promise<{ readonly carried: Promise<void> }> {
  const listener = await listenInPod(to, "receive - | sha256sum");
  const peer = startPeer(from, ["connect", address, String(PORT), "send", String(payload.bytes)]);
  const carry = async () => {
    await peer.ended();
    assert.equal((await listener.output).split(" ")[0], payload.digest, `to ${address}`);
  };
  return { carried: carry() };
}

/** A process of one pod connects to one of another and sends. @param address of the second */
export async function carryBetween(
  from: TrafficPlace,
  to: TrafficPlace,
  address: string,
  payload: Payload,
): Promise<void> {
  const listener = await listenInPod(to, "receive - | sha256sum");
  const { place, podId, containerId } = from;
  await runScript(place, podId, containerId, `traffic connect ${address} ${PORT} send ${payload.bytes} 2>&1`);
  assert.equal((await listener.output).split(" ")[0], payload.digest, `to ${address}`);
}

/** Starts `traffic listen` in a pod; resolves when it listens. */
async function listenInPod(
  { place, podId, containerId }: TrafficPlace,
  verb: string,
): Promise<{ readonly output: Promise<string> }> {
  const cmd = {
    args: ["/bin/sh", "-c", `traffic listen ${PORT} ${verb}`],
    envs: [{ var: "PATH", value: "/bin:/sbin" }],
  };
  const { process } = await enterContainer(podId, containerId, cmd, { ...place.options, attach: true });
  const { stdout, stderr } = process.io;
  assert.ok(stderr);
  const output = text(stdout);
  await new CollectedOutput(stderr).waitFor(/listening/);
  return { output };
}

/** Starts `traffic` outside of the pod. */
function startPeer({ namespace, program }: TrafficPeer, words: readonly string[]) {
  const child = spawnIn(namespace, [program, ...words]);
  const stderr = new CollectedOutput(child.stderr);
  const exit = once(child, "exit");
  const ended = async () => {
    const [code] = await exit;
    assert.equal(code, 0, `traffic ${words.join(" ")}: ${stderr.text()}`);
  };
  return { stdout: child.stdout, stderr, ended };
}

async function digestOf(stream: Readable): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of stream) hash.update(chunk);
  return hash.digest("hex");
}

/** Asks an agent for anything: each request must be answered, and the agent live on and not grow. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { AgentService, Health } from "@husk/wire/kata";
import { encodeMessage, type Method, type Service } from "@husk/wire/protobuf";
import { statusName, TtrpcError } from "@husk/wire/ttrpc";
import type { KataConnection, KataSession } from "./kata-session.ts";
import type { Random } from "./random.ts";
import { CONTAINER, CREATE_CONTAINER, CREATE_SANDBOX, furnish, SAMPLES } from "./sample-requests.ts";
import { makeMessage, spoilMessage } from "./spoilt-messages.ts";

/** Requests that are under way at a time. */
const BATCH = 100;
/** What the engine says of mistakes in the agent itself. */
const MISTAKE =
  /not a function|not iterable|not an object|of (undefined|null)|is not defined|call stack|out of memory/;
/** Milliseconds that an answer may take: some wait ten seconds for what is to appear. */
const ANSWER_MS = 25_000;
/** Requests after which a growing agent has grown as far as it ever should. */
const WARM_UP = 4000;
/** KiB that the agent may be larger in the end than after its first requests: what is held grows and shrinks. */
const MAX_GROWTH_KIB = 1024;

/** Methods that wait for what may never come, as they should, until nobody waits for their answer. */
const WAITING = ["GetOOMEvent", "OnlineCPUMem", "WaitProcess", "ReadStdout", "ReadStderr", "WriteStdin"];

interface Target {
  service: string;
  name: string;
  method: Method;
}

const targetsOf = (service: Service): Target[] =>
  Object.entries(service.methods).map(([name, method]) => ({
    service: service.name,
    name,
    method: method as Method,
  }));

/** Those that have a good request to begin with are asked more often. */
const TARGETS = [...targetsOf(AgentService), ...targetsOf(Health)].flatMap((target) =>
  target.name in SAMPLES ? [target, target, target] : [target],
);

/** What came of the requests: how many were answered how. */
export type Outcomes = Map<string, number>;

function makePayload(name: string, { request }: Method, random: Random): Uint8Array {
  const samples = SAMPLES[name];
  const message =
    samples && random.next(4) > 0
      ? spoilMessage(request, random.pick(samples), random)
      : makeMessage(request, random);
  const payload = encodeMessage(request, message);
  return random.next(6) === 0 ? random.spoil(payload.subarray(0, 4096)) : payload;
}

async function sendOne(connection: KataConnection, random: Random, outcomes: Outcomes): Promise<void> {
  const { service, name, method } = random.pick(TARGETS);
  const payload = makePayload(name, method, random);
  const text = `${name} ${Buffer.from(payload.subarray(0, 400)).toString("hex")}`;
  const called = random.next(100) === 0 ? `${name}x` : name;
  const count = (outcome: string) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  const answer = connection.client.call(service, called, payload).then(
    () => count("OK"),
    (error: unknown) => {
      assert.ok(error instanceof TtrpcError, `${text}: ${error}`);
      assert.ok(error.message.length > 0 && error.message.length < 5000, text);
      assert.doesNotMatch(error.message, MISTAKE, text);
      count(statusName(error.code));
    },
  );
  // It is answered at the latest when the connection ends.
  if (WAITING.includes(name)) return;
  const timer = AbortSignal.timeout(ANSWER_MS);
  const late = new Promise<never>((_, reject) => {
    timer.onabort = () => reject(new Error(`no answer to ${text}`));
  });
  await Promise.race([answer, late]);
}

/** Makes what the good requests are about, as far as it is not there. */
async function prepare(session: KataSession): Promise<void> {
  const attempt = (name: "CreateSandbox" | "CreateContainer" | "StartContainer", request: object) =>
    session.call(name, request).catch((error: unknown) => assert.ok(error instanceof TtrpcError));
  await attempt("CreateSandbox", CREATE_SANDBOX);
  await attempt("CreateContainer", CREATE_CONTAINER);
  await attempt("StartContainer", { containerId: CONTAINER });
}

async function sendBatch(session: KataSession, random: Random, outcomes: Outcomes): Promise<void> {
  await prepare(session);
  const connection = session.connect();
  await Promise.all(Array.from({ length: BATCH }, () => sendOne(connection, random, outcomes)));
  connection.stream.reset();
  connection.client.end();
}

/** Memory that the agent has resident, in KiB. */
export function residentOf(session: KataSession): number {
  const status = readFileSync(`/proc/${session.agentPid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
}

/** Sends so many requests. @throws AssertionError when one is not answered as it should, or the agent grows */
export async function fuzzRequests(session: KataSession, count: number, random: Random): Promise<Outcomes> {
  const outcomes: Outcomes = new Map();
  await furnish(session);
  let before = Number.POSITIVE_INFINITY;
  for (let sent = 0; sent < count; sent += BATCH) {
    await sendBatch(session, random, outcomes);
    if (sent <= WARM_UP) before = residentOf(session);
  }
  await session.health("Check");
  const after = residentOf(session);
  assert.ok(after - before < MAX_GROWTH_KIB, `it has grown from ${before} to ${after} KiB`);
  // What nobody has caught is told with where it came from.
  assert.doesNotMatch(session.log, /^ {4}at /m);
  return outcomes;
}

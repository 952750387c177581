/** Asks an agent for anything: each request must be answered, and the agent live on and not grow. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { AgentService, Health } from "@husk/wire/kata";
import { encodeMessage, type Method, type Service } from "@husk/wire/protobuf";
import { TtrpcError } from "@husk/wire/ttrpc";
import type { KataConnection, KataSession } from "./kata-session.ts";
import type { Random } from "./random.ts";
import { makeMessage } from "./spoilt-messages.ts";

/** Requests that are under way at a time. */
const BATCH = 100;
/** Requests after which a growing agent has grown as far as it ever should. */
const WARM_UP = 4000;
/** KiB that the agent may be larger in the end than after its first requests: what is held grows and shrinks. */
const MAX_GROWTH_KIB = 1024;

/** Methods that wait for what may never come, as they should: for ever, or for ten seconds. */
const WAITING = ["GetOOMEvent", "OnlineCPUMem"];

interface Target {
  service: string;
  name: string;
  method: Method;
}

const targetsOf = (service: Service): Target[] =>
  Object.entries(service.methods)
    .filter(([name]) => !WAITING.includes(name))
    .map(([name, method]) => ({ service: service.name, name, method: method as Method }));

const TARGETS = [...targetsOf(AgentService), ...targetsOf(Health)];

/** What came of the requests: how many were answered how. */
export type Outcomes = Map<string, number>;

async function sendOne(connection: KataConnection, random: Random, outcomes: Outcomes): Promise<void> {
  const { service, name, method } = random.pick(TARGETS);
  let payload = encodeMessage(method.request, makeMessage(method.request, random));
  if (random.next(4) === 0) payload = random.spoil(payload.subarray(0, 4096));
  const text = `${name} ${Buffer.from(payload.subarray(0, 200)).toString("hex")}`;
  const called = random.next(100) === 0 ? `${name}x` : name;
  try {
    await connection.client.call(service, called, payload);
    outcomes.set("OK", (outcomes.get("OK") ?? 0) + 1);
  } catch (error) {
    assert.ok(error instanceof TtrpcError, `${text}: ${error}`);
    assert.ok(error.message.length > 0 && error.message.length < 5000, text);
    assert.notEqual(error.message, "UNKNOWN", text);
    outcomes.set(String(error.code), (outcomes.get(String(error.code)) ?? 0) + 1);
  }
}

/** Memory that the agent has resident, in KiB. */
export function residentOf(session: KataSession): number {
  const status = readFileSync(`/proc/${session.agentPid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
}

/** Sends so many requests. @throws AssertionError when one is not answered as it should, or the agent grows */
export async function fuzzRequests(session: KataSession, count: number, random: Random): Promise<Outcomes> {
  const outcomes: Outcomes = new Map();
  let before = Number.POSITIVE_INFINITY;
  for (let sent = 0; sent < count; sent += BATCH) {
    await Promise.all(Array.from({ length: BATCH }, () => sendOne(session, random, outcomes)));
    if (sent <= WARM_UP) before = residentOf(session);
  }
  await session.health("Check");
  const after = residentOf(session);
  assert.ok(after - before < MAX_GROWTH_KIB, `it has grown from ${before} to ${after} KiB`);
  // What nobody has caught is told with where it came from.
  assert.doesNotMatch(session.log, /^ {4}at /m);
  return outcomes;
}

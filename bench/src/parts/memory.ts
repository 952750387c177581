import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { deletePod } from "@husk/virtcontainers";
import { Command, ControlDecoder, encodeControl } from "@husk/wire/hyperstart";
import type { BenchPlace } from "../support/bench-place.ts";
import type { Measurement } from "../support/measurement.ts";
import { work } from "../support/run-worker.ts";
import { waitForContent } from "../support/wait-for-content.ts";

/** The agent's memory in kB. */
interface AgentMemory {
  rss: number;
  anonymous: number;
}

const POD = "memory";
const MEMORY_LINE = /husk-agent: memory rss (\d+) anon (\d+)\r?\n/g;

/** (e) The agent's memory: at rest, after 10 containers and 100 execs, after 300 execs. */
export async function measureMemory(place: BenchPlace): Promise<Measurement[]> {
  await work(place, "boot");
  const rest = await askAgent(place);
  await work(place, "containers", "10");
  await work(place, "execs", "100");
  const busy = await askAgent(place);
  await work(place, "execs", "200");
  const end = await askAgent(place);
  await deletePod(POD, place.options);
  const target = { of: "value", relation: "at most", limit: 2.5 } as const;
  const flat = { of: "ratio", relation: "at most", limit: 1.05 } as const;
  return [
    row("agent's VmRSS at rest", rest.rss, { target }),
    row("agent's RssAnon at rest", rest.anonymous, {}),
    row("agent's VmRSS, 11 containers, 100 execs", busy.rss, { target }),
    row("agent's RssAnon, 11 containers, 100 execs", busy.anonymous, {}),
    row("agent's VmRSS after 300 execs, against 100", end.rss, { baseline: busy.rss / 1000, target: flat }),
    row("agent's RssAnon after 300 execs, against 100", end.anonymous, { baseline: busy.anonymous / 1000 }),
  ];
}

function row(what: string, kilobytes: number, more: Pick<Measurement, "baseline" | "target">): Measurement {
  return { part: "e", what, value: kilobytes / 1000, unit: "MB", ...more };
}

/** Sends PING to the agent, which then tells its memory on the console. */
async function askAgent(place: BenchPlace): Promise<AgentMemory> {
  const console = place.podFile(POD, "console.log");
  const before = readLines(console).length;
  const socket = connect(place.podFile(POD, "hyper.sock"));
  await once(socket, "connect");
  socket.write(encodeControl(Command.PING, new Uint8Array()));
  await waitForAnswer(socket);
  socket.destroy();
  return waitForContent(console, () => readLines(console).at(before));
}

async function waitForAnswer(socket: AsyncIterable<Uint8Array>): Promise<void> {
  const decoder = new ControlDecoder();
  for await (const chunk of socket) {
    for (const frame of decoder.push(chunk)) if (frame.command === Command.ACK) return;
  }
  throw new Error("the agent did not answer");
}

function readLines(console: string): AgentMemory[] {
  const matches = readFileSync(console, "latin1").matchAll(MEMORY_LINE);
  return [...matches].map(([, rss, anonymous]) => ({ rss: Number(rss), anonymous: Number(anonymous) }));
}

/** Asks an agent for anything, many times: `--runs N` (100000), `--seed N` (from the clock). */

import { parseArgs } from "node:util";
import { fuzzRequests, residentOf } from "../test/support/fuzz-door.ts";
import { KataSession } from "../test/support/kata-session.ts";
import { Random } from "../test/support/random.ts";

/** Milliseconds for each request, on a slow machine too. */
const MS_PER_RUN = 50;

const { values } = parseArgs({ options: { runs: { type: "string" }, seed: { type: "string" } } });
const runs = Number(values.runs ?? 100_000);
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
process.stdout.write(`${runs} requests with --seed ${seed}\n`);
await using session = await KataSession.start({ confined: true, deadlineMs: 60_000 + runs * MS_PER_RUN });
const outcomes = await fuzzRequests(session, runs, new Random(seed));
process.stdout.write(
  `${JSON.stringify(Object.fromEntries(outcomes))}; ${residentOf(session)} KiB resident\n`,
);

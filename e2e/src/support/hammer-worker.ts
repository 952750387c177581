// Makes random calls on one pod for a while, as one of several processes, and tells what it has seen as JSON:
//   node hammer-worker.ts PODID ROUNDS SEED
import { text } from "node:stream/consumers";
import {
  createContainer,
  deleteContainer,
  enterContainer,
  isHuskError,
  killContainer,
  listPod,
  pausePod,
  resumePod,
  type State,
  startContainer,
  statusContainer,
  statusPod,
  stopContainer,
} from "@husk/virtcontainers";
import { DEMO_ROOTFS } from "./places.ts";

/** What a worker has seen. */
export interface HammerReport {
  /** how often each call succeeded */
  done: Record<string, number>;
  /** how often each error came */
  refused: Record<string, number>;
  /** what must not be */
  faults: string[];
}

const [podId = "", rounds = "1", seed = "1"] = process.argv.slice(2);
const report: HammerReport = { done: {}, refused: {}, faults: [] };
let random = Number(seed);

/** Errors that others' calls explain: the pod is paused, the process whose connection was shared has ended. */
const EXPECTED = ["ERR_STATE_INVALID", "ERR_AGENT_DISCONNECTED"];

/** The same numbers for the same seed. */
function pick(count: number): number {
  random = (random * 48_271) % 0x7fff_ffff;
  return random % count;
}

async function attempt<T>(name: string, call: () => Promise<T>): Promise<T | undefined> {
  try {
    const result = await call();
    report.done[name] = (report.done[name] ?? 0) + 1;
    return result;
  } catch (error) {
    if (isHuskError(error) && EXPECTED.includes(error.code))
      report.refused[error.code] = (report.refused[error.code] ?? 0) + 1;
    else report.faults.push(`${name}: ${error instanceof Error ? error.stack : String(error)}`);
    return undefined;
  }
}

async function look(): Promise<void> {
  const status = await attempt("statusPod", () => statusPod(podId));
  if (status && status.state !== "running" && status.state !== "paused")
    report.faults.push(`the pod is said to be ${status.state}`);
  const listed = await attempt("listPod", () => listPod());
  if (listed && listed.map(({ id }) => id).join() !== podId) report.faults.push("the list lacks the pod");
}

async function enter(): Promise<void> {
  const word = String(pick(1e6));
  const cmd = { args: ["/bin/echo", word] };
  await attempt("enterContainer", async () => {
    const { process: entered } = await enterContainer(podId, "base", cmd, { attach: true });
    const [output, { exitCode }] = await Promise.all([
      text(entered.io.stdout),
      entered.io.wait(),
      entered.io.stderr?.resume(),
    ]);
    if (output !== `${word}\n` || exitCode !== 0)
      report.faults.push(`echo said ${output} and ended with ${exitCode}`);
  });
}

async function pauseAndResume(): Promise<void> {
  await attempt("pausePod", () => pausePod(podId));
  await attempt("resumePod", () => resumePod(podId));
}

/** A life of a container that no other process touches: each step must show. */
async function live(): Promise<void> {
  const id = `c${process.pid}-${pick(1e6)}`;
  const cmd = { args: ["sleep", "1000"] };
  await persist("createContainer", () => createContainer(podId, { id, rootFs: DEMO_ROOTFS, cmd }));
  await expectState(id, ["ready"]);
  if (await attempt("startContainer", () => startContainer(podId, id)))
    await expectState(id, ["running", "paused"]);
  await attempt("killContainer", () => killContainer(podId, id, "SIGKILL"));
  await persist("stopContainer", () => stopContainer(podId, id));
  await expectState(id, ["stopped"]);
  await persist("deleteContainer", () => deleteContainer(podId, id));
  await statusContainer(podId, id).then(
    () => report.faults.push("a deleted container is still there"),
    (error) => {
      if (!isHuskError(error, "ERR_CONTAINER_NOT_FOUND")) report.faults.push(String(error));
    },
  );
}

/** Makes a call until it succeeds: whoever pauses the pod also resumes it. */
async function persist(name: string, call: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; tries < 50; tries++) {
    if ((await attempt(name, call)) !== undefined || report.faults.length > 0) return;
    await attempt("resumePod", () => resumePod(podId));
  }
  report.faults.push(`${name} did not succeed in 50 attempts`);
}

async function expectState(id: string, states: readonly State[]): Promise<void> {
  const status = await attempt("statusContainer", () => statusContainer(podId, id));
  if (status && !states.includes(status.state)) report.faults.push(`${id} is ${status.state}, not ${states}`);
}

const ACTIONS = [look, enter, enter, pauseAndResume, live];
for (let round = 0; round < Number(rounds); round++) await ACTIONS[pick(ACTIONS.length)]?.();
process.stdout.write(JSON.stringify(report));
process.exit(0);

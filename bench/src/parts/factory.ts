import { setTimeout as sleep } from "node:timers/promises";
import { deletePod, destroyTemplates, type FactoryConfig, runPod, statusPod } from "@husk/virtcontainers";
import type { BenchPlace } from "../support/bench-place.ts";
import { interleave, type Measurement, median, summarise } from "../support/measurement.ts";
import { DEMO_ROOTFS, INITRAMFS, KERNEL } from "../support/places.ts";
import { readCost } from "../support/process-cost.ts";

/** pods that live at the same time, for what each of them holds */
const MANY = 10;
/** milliseconds in which a pod that does nothing is watched */
const IDLE_MS = 30_000;
const PHASE = { cold: "agent-ready", template: "agent-met" } as const;

/** When something was there, in milliseconds since the call. */
interface Moments {
  /** the agent's first answer */
  agent: number;
  /** the container's first output */
  output: number;
}

/** (m) VMs that begin as copies of a template, against those that boot. */
export async function measureFactory(place: BenchPlace, runs: number): Promise<Measurement[]> {
  const template: FactoryConfig = { template: true };
  try {
    // The first makes the template.
    await runOnce(place, "template", template);
    const [copies, boots] = await interleaveMoments(place, runs, template);
    const held = await holdMany(place, template);
    const least = { of: "ratio", relation: "at most" } as const;
    const row = (what: string, key: keyof Moments, limit: number): Measurement => ({
      part: "m",
      what,
      unit: "ms",
      ...summarise(copies.map((moments) => moments[key])),
      baseline: median(boots.map((moments) => moments[key])),
      target: { ...least, limit },
    });
    return [
      row("call to the agent's first answer, a template's copy against a boot", "agent", 0.08),
      row("call to the container's first output, the same", "output", 0.2),
      ...held,
    ];
  } finally {
    await destroyTemplates(template, place.options);
  }
}

async function interleaveMoments(
  place: BenchPlace,
  runs: number,
  template: FactoryConfig,
): Promise<[Moments[], Moments[]]> {
  const moments: [Moments[], Moments[]] = [[], []];
  await interleave(
    runs,
    async () => moments[0].push(await runOnce(place, "template", template)),
    async () => moments[1].push(await runOnce(place, "cold")),
  );
  return moments;
}

/** Runs a pod that says something. */
async function runOnce(
  place: BenchPlace,
  kind: keyof typeof PHASE,
  factory?: FactoryConfig,
): Promise<Moments> {
  const begin = performance.now();
  let agent = Number.NaN;
  const output = Promise.withResolvers<number>();
  await runPod(podOf("once", ["echo", "here"]), {
    ...place.options,
    ...(factory ? { factory } : {}),
    onPhase: ({ name, at }) => {
      if (name === PHASE[kind]) agent = at;
    },
    onCreated: (pod) => {
      const io = pod.getContainer("once")?.attach();
      io?.stdin.end();
      io?.stderr?.resume();
      io?.stdout.once("data", () => output.resolve(performance.now() - begin)).resume();
    },
  });
  const moments = { agent, output: await output.promise };
  await deletePod("once", place.options);
  return moments;
}

function podOf(id: string, args: string[]) {
  return {
    id,
    hypervisorConfig: { kernelPath: KERNEL, imagePath: INITRAMFS },
    containers: [{ id, rootFs: DEMO_ROOTFS, cmd: { args } }],
  };
}

/** What pods hold when there are many, and what one does that has nothing to do. */
async function holdMany(place: BenchPlace, factory: FactoryConfig): Promise<Measurement[]> {
  const copies = await pssOf(place, MANY, factory);
  const boots = await pssOf(place, 2);
  const target = { of: "ratio", relation: "at most", limit: 0.2 } as const;
  const idle = { of: "value", relation: "at most", limit: 1 } as const;
  return [
    {
      part: "m",
      what: `PSS of each of ${MANY} pods that are copies, against those that boot`,
      unit: "MB",
      value: copies.pss,
      baseline: boots.pss,
      target,
    },
    {
      part: "m",
      what: "a processor's share that such a pod takes in 30 s of nothing to do",
      unit: "%",
      value: copies.share,
      baseline: boots.share,
      target: idle,
    },
  ];
}

async function pssOf(place: BenchPlace, count: number, factory?: FactoryConfig) {
  const ids = Array.from({ length: count }, (_, index) => `pod${index}`);
  for (const id of ids) {
    await runPod(podOf(id, ["sleep", "1000000"]), { ...place.options, ...(factory ? { factory } : {}) });
  }
  const statuses = await Promise.all(ids.map((id) => statusPod(id, place.options)));
  const pids = statuses.flatMap(({ hypervisorPid }) => hypervisorPid ?? []);
  const before = pids.map(readCost);
  await sleep(IDLE_MS);
  const after = pids.map(readCost);
  for (const id of ids) await deletePod(id, place.options);
  const cpu = after.reduce((sum, cost, index) => sum + cost.cpu - (before[index]?.cpu ?? 0), 0);
  const pss = after.reduce((sum, cost) => sum + cost.pss, 0);
  return { pss: pss / count, share: (100 * cpu) / count / IDLE_MS };
}

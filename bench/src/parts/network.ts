import { createPod, deletePod, enterContainer, NetInterworkingModel, startPod } from "@husk/virtcontainers";
import { BenchNetwork } from "../support/bench-network.ts";
import type { BenchPlace } from "../support/bench-place.ts";
import { type Measurement, median, summarise } from "../support/measurement.ts";
import { INITRAMFS, KERNEL } from "../support/places.ts";

/** the network of a pod, as its configuration says */
type Network = Pick<Parameters<typeof createPod>[0], "networkModel" | "networkConfig">;
/** a pod that runs, and the address of the host that it talks to */
interface Talker {
  readonly podId: string;
  readonly where: "host" | "here";
  readonly hostAddress: string;
}

const PORT = 27_800;
/** amount of each run in bytes */
const AMOUNT = 128 * 2 ** 20;
const MODELS = ["tcFilter", "bridged", "macvtap"] as const;

/** (i) What a network adds to a pod's start, and how quick TCP is through each way of joining one. */
export async function measureNetwork(place: BenchPlace, runs: number): Promise<Measurement[]> {
  using network = await BenchNetwork.create(place.folder);
  return [...(await measureStarts(place, network, runs)), ...(await measureTraffic(place, network, runs))];
}

/** Pods with and without networks in turns: what counts is the difference within a turn. */
async function measureStarts(place: BenchPlace, network: BenchNetwork, runs: number): Promise<Measurement[]> {
  const given = network.addPodNamespace(0);
  const networks: Record<string, Network> = {
    "the user network": { networkModel: "user" },
    "a given namespace (CNM), tcFilter": {
      networkModel: "CNM",
      networkConfig: { netNSPath: given.path },
    },
    "CNI (bridge, host-local), tcFilter": {
      networkModel: "CNI",
      networkConfig: { cni: await network.addCniNetwork() },
    },
  };
  // The first packs the root, and is not counted.
  await timeStart(place, network, {});
  const without: number[] = [];
  const added = new Map(Object.keys(networks).map((name) => [name, [] as number[]]));
  for (let run = 0; run < runs; run++) {
    const base = await timeStart(place, network, {});
    without.push(base);
    for (const [name, config] of Object.entries(networks)) {
      added.get(name)?.push((await timeStart(place, network, config)) - base);
    }
  }
  const target = { of: "value", relation: "at most", limit: 250 } as const;
  return [
    { part: "i", what: "pod without a network, to its container running", unit: "ms", ...summarise(without) },
    ...[...added].map(([name, times]) => ({
      part: "i",
      what: `more with ${name}`,
      unit: "ms",
      ...summarise(times),
      target,
    })),
  ];
}

async function timeStart(place: BenchPlace, network: BenchNetwork, config: Network): Promise<number> {
  const begin = performance.now();
  await startTalker(place, network, "start", config);
  const took = performance.now() - begin;
  await deletePod("start", place.options);
  return took;
}

async function startTalker(
  place: BenchPlace,
  network: BenchNetwork,
  podId: string,
  config: Network,
): Promise<void> {
  const hypervisorConfig = { kernelPath: KERNEL, imagePath: INITRAMFS };
  const containers = [{ id: "talker", rootFs: network.rootFs, cmd: { args: ["sleep", "1000000"] } }];
  await createPod({ id: podId, hypervisorConfig, containers, ...config }, place.options);
  await startPod(podId, place.options);
}

/** All pods are there at once and take turns, so that a noisy machine disturbs all alike. */
async function measureTraffic(
  place: BenchPlace,
  network: BenchNetwork,
  runs: number,
): Promise<Measurement[]> {
  const talkers = new Map<string, Talker>();
  for (const [index, name] of MODELS.entries()) {
    const { path, hostAddress } = network.addPodNamespace(index + 1);
    const networkConfig = { netNSPath: path, interworkingModel: NetInterworkingModel[name] };
    await startTalker(place, network, name.toLowerCase(), { networkModel: "CNM", networkConfig });
    talkers.set(name, { podId: name.toLowerCase(), where: "host", hostAddress });
  }
  await startTalker(place, network, "user", { networkModel: "user" });
  talkers.set("user network", { podId: "user", where: "here", hostAddress: "10.0.2.2" });
  const rates = new Map<string, { out: number[]; in: number[] }>();
  for (let run = 0; run < runs; run++) {
    for (const [name, talker] of talkers) {
      const known = rates.get(name) ?? { out: [], in: [] };
      rates.set(name, known);
      known.out.push(await send(place, network, talker));
      known.in.push(await receive(place, network, talker));
    }
  }
  for (const { podId } of talkers.values()) await deletePod(podId, place.options);
  return [...rates].flatMap(([name, { out, in: into }]) => [
    compare(`TCP out of the pod, ${name}`, name, out, rates.get("macvtap")?.out),
    compare(`TCP into the pod, ${name}`, name, into, rates.get("macvtap")?.in),
  ]);
}

/** All are compared with macvtap; the default must come near to it. */
function compare(
  what: string,
  name: string,
  rates: readonly number[],
  macvtap: readonly number[] | undefined,
): Measurement {
  const target = { of: "ratio", relation: "at least", limit: 0.9 } as const;
  return {
    part: "i",
    what,
    unit: "MB/s",
    ...summarise(rates),
    ...(name === "macvtap" || !macvtap ? {} : { baseline: median(macvtap) }),
    ...(name === "tcFilter" ? { target } : {}),
  };
}

async function send(place: BenchPlace, network: BenchNetwork, talker: Talker): Promise<number> {
  const { rate } = await network.listen(talker.where, PORT, "receive");
  await talk(place, talker, ["send", String(AMOUNT)]);
  return rate();
}

async function receive(place: BenchPlace, network: BenchNetwork, talker: Talker): Promise<number> {
  const { rate } = await network.listen(talker.where, PORT, "send", String(AMOUNT));
  await talk(place, talker, ["receive"]);
  return rate();
}

/** Runs the traffic program in the pod to its end. */
async function talk(place: BenchPlace, { podId, hostAddress }: Talker, verb: string[]): Promise<void> {
  const args = ["traffic", "connect", hostAddress, String(PORT), ...verb];
  const options = { ...place.options, attach: true };
  const { process: entered } = await enterContainer(podId, "talker", { args }, options);
  entered.io.stdin.end();
  entered.io.stdout.resume();
  entered.io.stderr?.resume();
  const { exitCode } = await entered.io.wait();
  if (exitCode !== 0) throw new Error(`traffic in ${podId} ended with ${exitCode}`);
}

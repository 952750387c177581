/** A way to have VMs, and what it costs. Times are seconds, memory is MB of PSS. */
export interface Tier {
  readonly name: string;
  /** seconds until one can be had, on a machine that does nothing else */
  readonly makeTime: number;
  /** processor seconds that this takes */
  readonly makeWork: number;
  /** seconds from taking one that waits to the agent's answer */
  readonly adoptTime: number;
  /** MB of one that waits, without what all share */
  readonly waitingMemory: number;
  /** MB of one that runs a pod, without what all share */
  readonly runningMemory: number;
  /** MB that a node holds once, however many VMs there are */
  readonly sharedMemory: number;
}

/** The figures of docs/scale.md, "What goes in", which says where each comes from. */
export const BOOT: Tier = {
  name: "boot",
  makeTime: 1.5,
  makeWork: 1.5,
  adoptTime: 0.003,
  waitingMemory: 176,
  runningMemory: 178,
  sharedMemory: 0,
};

/** A copy of a template, paused. */
export const COPY: Tier = {
  name: "copy",
  makeTime: 0.081,
  makeWork: 0.133,
  adoptTime: 0.003,
  waitingMemory: 18,
  runningMemory: 32,
  sharedMemory: 140,
};

/** A QEMU that has a template's memory, and has not loaded its state yet. */
export const PREPARED: Tier = {
  name: "prepared copy",
  makeTime: 0.048,
  makeWork: 0.053,
  adoptTime: 0.027,
  waitingMemory: 17,
  runningMemory: 32,
  sharedMemory: 140,
};

/** A copy that has run a container of ours before it was paused. */
export const REHEARSED: Tier = {
  name: "rehearsed copy",
  makeTime: 0.45,
  makeWork: 0.45,
  adoptTime: 0.003,
  waitingMemory: 42,
  runningMemory: 45,
  sharedMemory: 140,
};

/** What a node has for making VMs. */
export interface Node {
  /** processors that making VMs may take */
  readonly processors: number;
  /** VMs that are made at the same time; others wait for their turn */
  readonly atOnce: number;
}

/** VMs that a node makes in a second, when it always makes as many as it may. */
export function capacityOf(tier: Tier, node: Node): number {
  return makingRate(tier, node, node.atOnce);
}

/** VMs that become ready in a second while some are owed. Each takes at most the processors that it takes when alone. */
export function makingRate(tier: Tier, node: Node, owed: number): number {
  const each = tier.makeWork / tier.makeTime;
  return Math.min(Math.min(owed, node.atOnce) * each, node.processors) / tier.makeWork;
}

import type { Load } from "./arrivals.ts";
import { BOOT, COPY, type Node, type Tier } from "./tiers.ts";

/** processors that the figures were measured with; more VMs at once than these do not come sooner */
export const NODE: Node = { processors: 2, atOnce: 2 };
/** share of requests that shall find a VM ready */
export const AIM = 0.99;
/** seconds that a pod lives on average, where that matters */
export const LIFETIME = 120;

/** how far the rate of a day goes up and down, as a share of its mean */
export const DAY_SWING = 0.8;

/** A load, and how the VMs for it are made. */
export interface Scenario {
  readonly load: Load;
  readonly tier: Tier;
}

/** A rate that stays, and requests that know nothing of each other. */
export const STEADY: readonly Scenario[] = [
  { load: steady(0.1), tier: BOOT },
  { load: steady(0.5), tier: BOOT },
  { load: steady(1), tier: BOOT },
  { load: steady(0.1), tier: COPY },
  { load: steady(1), tier: COPY },
  { load: steady(5), tier: COPY },
  { load: steady(10), tier: COPY },
];

/** Loads that take half of what a node can make, each request for itself. */
export const BUSY_BOOTS: Scenario = { load: steady(0.6), tier: BOOT };
export const BUSY_COPIES: Scenario = { load: steady(6), tier: COPY };

/** Jobs that start many pods at once, in between single ones. */
export const BURSTS: readonly Scenario[] = [
  { load: withBursts(0.1, 10, 60), tier: BOOT },
  { load: withBursts(0.1, 25, 300), tier: BOOT },
  { load: withBursts(1, 10, 60), tier: COPY },
  { load: withBursts(1, 25, 60), tier: COPY },
  { load: withBursts(1, 100, 300), tier: COPY },
  { load: withBursts(1, 25, 60, true), tier: COPY },
];

/** A day with a quiet night, each minute a little different from the next. */
export const DAYS: readonly Scenario[] = [
  { load: day(0.25), tier: BOOT },
  { load: day(2), tier: COPY },
];

function steady(rate: number): Load {
  return { name: `${rate} a second`, rate };
}

function withBursts(rate: number, size: number, pause: number, uneven = false): Load {
  const bursts = uneven ? { rate: 1 / pause, size, uneven } : { rate: 1 / pause, size };
  const sizes = uneven ? `about ${size}` : size;
  return { name: `${rate} a second, and ${sizes} at once every ${pause} s`, rate, bursts };
}

function day(rate: number): Load {
  return { name: `a day, ${rate} a second on average`, rate, day: { swing: DAY_SWING, noise: 0.3 } };
}

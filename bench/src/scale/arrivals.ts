import type { Random } from "./random.ts";

/** Requests for VMs, as a node gets them. */
export interface Load {
  readonly name: string;
  /** single requests in a second, on average */
  readonly rate: number;
  /** requests that come together, besides the single ones */
  readonly bursts?: Bursts;
  /** how the rate of single requests changes over a day; without it, it stays */
  readonly day?: DayCurve;
}

/** Requests that come at the same moment. */
export interface Bursts {
  /** bursts in a second, on average */
  readonly rate: number;
  /** requests in each */
  readonly size: number;
  /** whether the size is a mean, of a geometric distribution, instead */
  readonly uneven?: boolean;
}

interface DayCurve {
  /** how far the rate goes up by day and down at night, as a share of its mean */
  readonly swing: number;
  /** deviation of the logarithm of a factor that each minute has */
  readonly noise: number;
}

const DAY_SECONDS = 86_400;
const MINUTE_SECONDS = 60;
/** most that a minute's noise multiplies the rate by */
const MOST_NOISE = 4;

/** Requests in a second that a load comes to, on average. */
export function rateOf({ rate, bursts }: Load): number {
  return rate + (bursts ? bursts.rate * bursts.size : 0);
}

/** Moments of requests in seconds, in their order, until a duration has passed. */
export function* drawArrivals(load: Load, duration: number, random: Random): Generator<number> {
  const { bursts } = load;
  const noise = load.day ? drawNoise(load.day, duration, random) : undefined;
  // Drawn at the highest rate there can be; what is too much at a moment is left out.
  const most = load.day ? load.rate * (1 + load.day.swing) * MOST_NOISE : load.rate;
  const total = most + (bursts?.rate ?? 0);
  for (let at = random.exponential(1 / total); at < duration; at += random.exponential(1 / total)) {
    const draw = random.uniform() * total;
    if (draw >= most) {
      for (let left = bursts ? drawSize(bursts, random) : 0; left > 0; left--) yield at;
    } else if (draw < rateAt(load, noise, at)) yield at;
  }
}

function rateAt({ rate, day }: Load, noise: readonly number[] | undefined, at: number): number {
  if (!day) return rate;
  const curve = 1 - day.swing * Math.cos((2 * Math.PI * at) / DAY_SECONDS);
  return rate * curve * (noise?.[Math.floor(at / MINUTE_SECONDS)] ?? 1);
}

function drawNoise({ noise }: DayCurve, duration: number, random: Random): number[] {
  return Array.from({ length: Math.ceil(duration / MINUTE_SECONDS) }, () =>
    // Less half the variance, so that the mean is 1.
    Math.min(MOST_NOISE, Math.exp(noise * random.normal() - noise ** 2 / 2)),
  );
}

function drawSize({ size, uneven }: Bursts, random: Random): number {
  if (!uneven || size === 1) return size;
  return 1 + Math.floor(Math.log(1 - random.uniform()) / Math.log(1 - 1 / size));
}

/** Random numbers that are the same for the same seed, on every machine. */
export interface Random {
  /** evenly distributed, 0 included, 1 not */
  uniform(): number;
  /** exponentially distributed with this mean: the pause between independent events */
  exponential(mean: number): number;
  /** normally distributed with mean 0 and deviation 1 */
  normal(): number;
}

/** Begins a row of random numbers (mulberry32, a generator of 32 bits of state: enough for some million draws). */
export function seedRandom(seed: number): Random {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  // 1 - uniform() is never 0, whose logarithm does not exist.
  const exponential = (mean: number) => -mean * Math.log(1 - uniform());
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, exponential, normal };
}

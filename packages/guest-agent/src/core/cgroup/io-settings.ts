/** Limits of block devices as files of a cgroup. Leaf weights are of version 1 only, and left out. */

import type { LinuxBlockIO, LinuxThrottleDevice, LinuxWeightDevice } from "@husk/wire/kata";
import { LimitError, type Setting } from "./setting.ts";

/** Weights of version 1. */
const [MIN_WEIGHT, MAX_WEIGHT] = [10, 1000];

/** The lists of rates, and their words in `io.max`. */
const RATES = {
  ThrottleReadBpsDevice: "rbps",
  ThrottleWriteBpsDevice: "wbps",
  ThrottleReadIOPSDevice: "riops",
  ThrottleWriteIOPSDevice: "wiops",
} as const;

/** A weight of 1 to 10,000 for one of version 1. */
function ioWeight(what: string, weight: number): number {
  if (weight < MIN_WEIGHT || weight > MAX_WEIGHT) {
    throw new LimitError(`${what} is ${weight}: it must be ${MIN_WEIGHT} to ${MAX_WEIGHT}`);
  }
  return 1 + Math.floor(((weight - MIN_WEIGHT) * 9999) / (MAX_WEIGHT - MIN_WEIGHT));
}

function deviceName(what: string, { Major, Minor }: { Major: bigint; Minor: bigint }): string {
  if (Major < 0n || Minor < 0n) throw new LimitError(`${what} is for ${Major}:${Minor}, which is no device`);
  return `${Major}:${Minor}`;
}

/** What a file with a line for each device says of one, without its name. */
function lineOf(device: string, current: string): string | undefined {
  return current
    .split("\n")
    .find((line) => line.startsWith(`${device} `))
    ?.slice(device.length + 1);
}

function weightOf(device: LinuxWeightDevice): Setting {
  const name = deviceName("BlockIO.WeightDevice", device);
  return {
    controller: "io",
    file: "io.weight",
    text: `${name} ${ioWeight(`BlockIO.WeightDevice of ${name}`, device.Weight)}`,
    restore: (current) => `${name} ${lineOf(name, current) ?? "default"}`,
  };
}

function rateOf(list: keyof typeof RATES, device: LinuxThrottleDevice): Setting {
  const name = deviceName(`BlockIO.${list}`, device);
  return {
    controller: "io",
    file: "io.max",
    text: `${name} ${RATES[list]}=${device.Rate === 0n ? "max" : device.Rate}`,
    restore: (current) => `${name} ${lineOf(name, current) ?? "rbps=max wbps=max riops=max wiops=max"}`,
  };
}

/** What limits come down to. @throws LimitError */
export function ioSettings(io: LinuxBlockIO): Setting[] {
  const settings: Setting[] = [];
  if (io.Weight !== 0) {
    const text = `default ${ioWeight("BlockIO.Weight", io.Weight)}`;
    const restore = (current: string) => `default ${lineOf("default", current) ?? "100"}`;
    settings.push({ controller: "io", file: "io.weight", text, restore });
  }
  // A device with a leaf weight alone has none here.
  for (const device of io.WeightDevice) if (device.Weight !== 0) settings.push(weightOf(device));
  for (const list of Object.keys(RATES) as (keyof typeof RATES)[]) {
    for (const device of io[list]) settings.push(rateOf(list, device));
  }
  return settings;
}

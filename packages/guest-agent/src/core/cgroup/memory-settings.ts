/**
 * Limits of memory as files of a cgroup. What version 2 does not have (the kernel's own memory, swappiness, living without
 * the OOM killer) is left out, as by other runtimes: requests carry it for version 1.
 */

import type { LinuxMemory } from "@husk/wire/kata";
import { LimitError, limitText, type Setting } from "./setting.ts";

/** Swap alone, from memory and swap together. */
function swapLimit({ Limit, Swap }: LinuxMemory): string | undefined {
  if (Swap === -1n) return "max";
  // No limit of memory leaves none of swap.
  if (Swap === 0n) return Limit === -1n ? "max" : undefined;
  if (Limit <= 0n) throw new LimitError(`Memory.Swap is ${Swap}: it needs a Memory.Limit`);
  if (Swap < Limit) {
    throw new LimitError(
      `Memory.Swap is ${Swap}: it is together with memory, so not below Memory.Limit ${Limit}`,
    );
  }
  return limitText("Memory.Swap", Swap - Limit);
}

/** What limits come down to. @throws LimitError */
export function memorySettings(memory: LinuxMemory): Setting[] {
  const { Limit, Reservation } = memory;
  const settings: Setting[] = [];
  const add = (file: string, text: string) => settings.push({ controller: "memory", file, text });
  const swap = swapLimit(memory);
  if (swap !== undefined) add("memory.swap.max", swap);
  if (Limit !== 0n) add("memory.max", limitText("Memory.Limit", Limit));
  if (Reservation !== 0n) add("memory.low", limitText("Memory.Reservation", Reservation));
  return settings;
}

/** The commands about the machine itself. Reference: hyperstart.md 1.4 and 2.11. */
import { readText } from "@husk/tiny";
import { parseRenewal } from "@husk/wire/hyperstart";
import { rescanPci } from "../core/pci.ts";
import { keepOnline } from "../core/processors.ts";
import { renewGuest } from "../core/renewal.ts";
import { isLogged, log } from "../log.ts";
import type { Answer } from "./server.ts";

/** READY from the host: functions were plugged in. */
export function lookForDevices(): Answer {
  rescanPci();
  return undefined;
}

/** ONLINECPUMEM. */
export async function onlineCpuMemory(): Promise<Answer> {
  await keepOnline();
  return undefined;
}

/** RENEW. */
export function renew(payload: Uint8Array): Answer {
  const { seconds, nanoseconds, random } = parseRenewal(payload);
  // One by one: a list of them all would make the agent's memory grow, which a fresh copy feels.
  const bytes = new Uint8Array(random.length / 2);
  for (let at = 0; at < bytes.length; at++) bytes[at] = Number.parseInt(random.slice(2 * at, 2 * at + 2), 16);
  renewGuest(seconds, nanoseconds, bytes);
  return undefined;
}

/** PING; also tells the agent's own memory, for the one who measures. */
export function ping(): Answer {
  if (!isLogged("debug")) return undefined;
  const status = readText("/proc/self/status");
  const kilobytes = (name: string) => new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? "?";
  log("debug", `memory rss ${kilobytes("VmRSS")} anon ${kilobytes("RssAnon")}`);
  return undefined;
}

/** The commands about the machine itself: its PCI bus, CPUs and memory. Reference: hyperstart.md 1.4 and 2.11. */

import * as sys from "tiny:sys";
import { errorText, exists, readText, writeControl } from "@husk/tiny";
import { askChild } from "../core/ask-child.ts";
import { rescanPci } from "../core/pci.ts";
import { isLogged, log } from "../log.ts";
import type { Answer } from "./server.ts";

/** READY from the host: functions were plugged in. */
export function lookForDevices(): Answer {
  rescanPci();
  return undefined;
}

/** Switches on what is off of one kind; gives what went wrong. */
function bringOnline(kind: "cpu" | "memory"): string[] {
  const folder = `/sys/devices/system/${kind}`;
  const names = exists(folder) ? sys.readdir(folder) : [];
  return names
    .filter((name) => name.startsWith(kind) && /^[a-z]+[1-9][0-9]*$/.test(name))
    .flatMap((name) => {
      const file = `${folder}/${name}/online`;
      try {
        if (exists(file) && readText(file).trim() === "0") writeControl(file, "1");
        return [];
      } catch (error) {
        return [`${name}: ${errorText(error)}`];
      }
    });
}

/** Brings the CPUs and the memory online that the host has plugged in. A CPU may take a while, so not in the agent itself. */
export async function onlineCpuMemory(): Promise<Answer> {
  await askChild("ONLINECPUMEM", 0, () => {
    const failures = [...bringOnline("cpu"), ...bringOnline("memory")];
    if (failures.length > 0) throw new Error(failures.join("; "));
    return new Uint8Array();
  });
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

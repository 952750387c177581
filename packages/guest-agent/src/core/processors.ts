/** CPUs and memory that the host plugs in: the kernel uses them when it is told to. Reference: hyperstart.md 2.11. */

import * as sys from "tiny:sys";
import { errorText, exists, readTextIfThere, writeControl } from "@husk/tiny";
import { listenForDevices } from "../boot/uevents.ts";
import { log } from "../log.ts";
import { askChild } from "./ask-child.ts";

/** The files of what is there and off. The first CPU has none, and the first block of memory stays as it is. */
function findOffline(kind: "cpu" | "memory"): string[] {
  const folder = `/sys/devices/system/${kind}`;
  const names = exists(folder) ? sys.readdir(folder) : [];
  return names
    .filter((name) => name.startsWith(kind) && /^[a-z]+[1-9][0-9]*$/.test(name))
    .map((name) => `${folder}/${name}/online`)
    .filter((file) => readTextIfThere(file)?.trim() === "0");
}

function switchOn(file: string): string[] {
  try {
    writeControl(file, "1");
    return [];
  } catch (error) {
    return [errorText(error)];
  }
}

/** Brings online all that is there. A CPU takes a while, so not in the agent itself. @throws Error naming what stays off */
async function bringOnline(): Promise<void> {
  const offline = [...findOffline("cpu"), ...findOffline("memory")];
  if (offline.length === 0) return;
  await askChild("bringing CPUs and memory online", 0, () => {
    const failures = offline.flatMap(switchOn);
    if (failures.length > 0) throw new Error(failures.join("; "));
    return new Uint8Array();
  });
}

let listening = false;

/**
 * Brings online all that is there and, from now on, what comes later: the kernel hears of a CPU a little after the host
 * has plugged it in, which may be after the host has said so.
 *
 * @throws Error naming what stays off
 */
export async function keepOnline(): Promise<void> {
  if (!listening) {
    listening = true;
    listenForDevices(() => {
      bringOnline().catch((error) => log("error", errorText(error)));
    });
  }
  await bringOnline();
}

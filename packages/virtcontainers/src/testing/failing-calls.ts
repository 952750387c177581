import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import type { CallOptions } from "../types/index.ts";
import type { TempRoot } from "./temp-root.ts";

/** What makes a call fail. */
export const INJECTED = new Error("injected");

/** Makes a call fail when it has done a number of phases. */
export function failAt(step: number): CallOptions {
  let count = 0;
  return {
    onPhase: () => {
      if (count++ === step) throw INJECTED;
    },
  };
}

/** Whether a call failed because it was made to. @throws what else made it fail */
export async function fails(call: Promise<unknown>): Promise<boolean> {
  return call.then(
    () => false,
    (error) => {
      if (error !== INJECTED && error.cause !== INJECTED) throw error;
      return true;
    },
  );
}

/** Pods and descriptors that a call has left behind. */
export function whatIsLeft({ root, base }: Pick<TempRoot, "root" | "base">): string[] {
  const descriptors = readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      // The one that lists them.
      return [];
    }
  });
  const pods = existsSync(join(root, "pods")) ? readdirSync(join(root, "pods")) : [];
  return [...pods, ...descriptors.filter((path) => path.startsWith(base))];
}

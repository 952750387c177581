import { Command } from "./commands.ts";
import type { JsonObject } from "./payload-reader.ts";
import { readPayload } from "./payload-reader.ts";

/**
 * Whose host is at the other end: upstream's (runv, husk), Clear Containers 2's (cc-oci-runtime, which drives API 4242)
 * or Clear Containers 3's (virtcontainers with its Go agent, which has no number).
 */
export type DialectName = "hyperstart" | "clear-containers-2" | "clear-containers-3";

/** Commands whose payload may tell. */
const TELLING: readonly number[] = [Command.STARTPOD, Command.NEWCONTAINER, Command.EXECCMD];

/**
 * The dialect that a command gives away, or undefined when it could be of any. Hosts of hyperstart ask for the version
 * before all else; those of Clear Containers never do, and their requests have keys and lack others.
 * Reference: hyperstart.md 0, 6.1, 6.2 and 6.6.
 */
export function recognizeDialect(command: number, payload: Uint8Array): DialectName | undefined {
  if (command === Command.GETVERSION) return "hyperstart";
  if (!TELLING.includes(command)) return undefined;
  let request: JsonObject;
  try {
    request = readPayload(payload, payload.length);
  } catch {
    // The command's own parser will say what is wrong.
    return undefined;
  }
  return command === Command.STARTPOD ? ofPod(request) : ofProcess(request);
}

function ofPod(request: JsonObject): DialectName | undefined {
  if ("iptableRules" in request || request.shareDir === "rootfs") return "clear-containers-2";
  if (request.shareDir === "hyperShared") return "clear-containers-3";
  const interfaces = Array.isArray(request.interfaces) ? request.interfaces : [];
  if (!interfaces.some((one) => hasKey(one, "macAddr"))) return undefined;
  return "containers" in request ? "clear-containers-2" : "clear-containers-3";
}

/** A request of hyperstart always names its process. */
function ofProcess(request: JsonObject): DialectName | undefined {
  const { process } = request;
  if (typeof process !== "object" || process === null || hasKey(process, "id")) return undefined;
  const isThird =
    "systemMountsInfo" in request ||
    "constraints" in request ||
    hasKey(process, "capabilities") ||
    hasKey(process, "noNewPrivileges");
  return isThird ? "clear-containers-3" : "clear-containers-2";
}

function hasKey(value: unknown, key: string): boolean {
  return typeof value === "object" && value !== null && (value as JsonObject)[key] !== undefined;
}

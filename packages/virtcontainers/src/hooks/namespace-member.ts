import { spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { withDeadline } from "../deadline.ts";
import { HuskError, messageOf } from "../errors/index.ts";

/** How long a process may take to enter a namespace, or to leave it, in milliseconds. */
const MEMBER_MS = 10_000;
const OWN = "/proc/self/ns/net";

/** A process that lives in a network namespace until this is disposed of. */
export interface NamespaceMember extends AsyncDisposable {
  readonly pid: number;
}

/** This very process, which lives in its own namespace anyway. */
export function ownMember(): NamespaceMember {
  return { pid: process.pid, [Symbol.asyncDispose]: async () => {} };
}

/**
 * A process in the network namespace at a path (`/proc/<pid>/ns/net`, `/run/netns/<name>`): this one if that is where it lives, else one that
 * is started there. It ends when this process does, however that ends.
 * @throws HuskError ERR_HOOK_FAILED when the namespace cannot be entered
 */
export async function joinNetworkNamespace(path: string): Promise<NamespaceMember> {
  try {
    if (isOwn(path)) return ownMember();
    return await startMember(path);
  } catch (error) {
    const text = `cannot enter the network namespace ${path}, in which hooks need a process`;
    throw new HuskError("ERR_HOOK_FAILED", `${text}: ${messageOf(error)}`, { cause: error });
  }
}

/** A namespace is known by its file, wherever that is: below `/proc` it looks like a link, on a mount point like a file. */
function isOwn(path: string): boolean {
  const [found, own] = [statSync(path), statSync(OWN)];
  return found.ino === own.ino && found.dev === own.dev;
}

/** cat(1) ends with its input, which this process holds; its first echo tells that it is there. */
async function startMember(path: string): Promise<NamespaceMember> {
  const child = spawn("nsenter", [`--net=${path}`, "cat"], { stdio: ["pipe", "pipe", "ignore"] });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const echo = Promise.race([
    once(child.stdout, "data"),
    once(child, "exit").then(() => {
      throw new Error("nsenter failed");
    }),
  ]);
  child.stdin.on("error", () => {});
  child.stdin.write("\n");
  const leave = async () => {
    child.stdin.end();
    await withDeadline(ended, { ms: MEMBER_MS, what: "cat to end" }).catch(() => child.kill("SIGKILL"));
  };
  try {
    await withDeadline(echo, { ms: MEMBER_MS, what: "nsenter" });
  } catch (error) {
    await leave();
    throw error;
  }
  return { pid: child.pid ?? 0, [Symbol.asyncDispose]: leave };
}

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { abortError } from "../../deadline.ts";
import { HuskError, messageOf } from "../../errors/index.ts";
import { deadlineMs } from "../../hypervisor/deadlines.ts";
import type { NetworkRecord, NetworkSite } from "../types.ts";

/**
 * The names of all links in the pod's namespace.
 * @throws HuskError ERR_NETWORK_NAMESPACE, ERR_ABORTED
 */
export async function listLinkNames({ record, deadlineFactor, signal }: NetworkSite): Promise<string[]> {
  const args = [`--net=${record.netNSPath}`, "--", "cat", "/proc/self/net/dev"];
  const timeout = deadlineMs("hostNetwork", deadlineFactor);
  try {
    const run = promisify(execFile)("nsenter", args, { timeout, killSignal: "SIGKILL", signal });
    // After two lines of headings, each line begins with a name and a colon.
    const [, , ...lines] = (await run).stdout.trim().split("\n");
    return lines.map((line) => line.split(":", 1).join("").trim());
  } catch (error) {
    if (signal?.aborted) throw abortError(signal);
    const text = `cannot look into the network namespace ${record.netNSPath}: ${messageOf(error).trim()}`;
    throw new HuskError("ERR_NETWORK_NAMESPACE", text, { cause: error });
  }
}

/** @throws HuskError ERR_NETWORK_CLASH when a link of one of these names is there already */
export function checkNotTaken(names: readonly string[], taken: readonly string[]): void {
  const name = names.find((wanted) => taken.includes(wanted));
  if (name === undefined) return;
  const text = `the network namespace has an interface ${name} already, which a CNI network was to become`;
  throw new HuskError("ERR_NETWORK_CLASH", text);
}

/** The first name `ethN` that neither a link nor a record has. */
export function nextName({ attachments = [], endpoints }: NetworkRecord, taken: readonly string[]): string {
  const names = new Set([
    ...taken,
    ...attachments.map(({ ifName }) => ifName),
    ...endpoints.map(({ endpoint }) => endpoint.name),
  ]);
  let index = 0;
  while (names.has(`eth${index}`)) index++;
  return `eth${index}`;
}

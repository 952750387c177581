import { statSync } from "node:fs";
import { HuskError } from "../../errors/index.ts";
import { captureCommand } from "../../host-command.ts";
import type { ProcessIdentity } from "../../store/process-identity.ts";
import type { Nic } from "../types.ts";
import { netdevId } from "./nics.ts";
import { isRefusal, type QmpClient, type QmpOptions } from "./qmp-client.ts";

/** Number of the connection to QEMU in the program that sends descriptors by it. */
const CONNECTION_FD = 3;
const CANNOT_ENTER = /the network namespace .* cannot be entered/;

/** Where an interface is that QEMU cannot open itself. */
export interface NicOrigin {
  /** path of its network namespace; missing: the caller's */
  readonly netNSPath?: string | undefined;
  /** path of the program that opens it, `husk-tap` */
  readonly tapHelperPath?: string | undefined;
}

/** Whether a process lives in a network namespace; one that cannot be looked at does not. */
export function livesIn({ pid }: ProcessIdentity, netNSPath: string): boolean {
  try {
    const [own, other] = [statSync(`/proc/${pid}/ns/net`), statSync(netNSPath)];
    return own.ino === other.ino && own.dev === other.dev;
  } catch {
    return false;
  }
}

/** Number of an interface's descriptors: one for each of its queues. */
export function queuesOf({ backend }: Nic): number {
  return "queues" in backend ? backend.queues : 0;
}

/** Name by which QEMU knows one of them. */
function descriptorName(name: string, index: number): string {
  return `${netdevId(name)}-${index}`;
}

/**
 * Has a program open an interface, and send QEMU the descriptors. QEMU can open only what is in its own network namespace, and
 * Node can send no descriptor.
 * @returns the descriptors' names, which `netdev_add` takes; when it has not, `closeDescriptors` is called
 * @throws HuskError ERR_ASSET_MISSING, ERR_NETWORK_LINK, ERR_NETWORK_NAMESPACE, ERR_NOT_SUPPORTED, ERR_QMP, ERR_TIMEOUT,
 *   ERR_ABORTED
 */
export async function sendDescriptors(
  client: QmpClient,
  nic: Nic,
  origin: NicOrigin,
  options: QmpOptions,
): Promise<string[]> {
  const names = Array.from({ length: queuesOf(nic) }, (_, index) => descriptorName(nic.name, index));
  const commands = names.map((fdname) => ({ execute: "getfd", arguments: { fdname } }) as const);
  const give = (connection: number, lines: string) => runHelper(nic, origin, connection, lines, options);
  await client.executeByOther(commands, give, options);
  return names;
}

/**
 * Closes those that no interface has taken, be it that a caller left them who was killed.
 * @param queues number of those that there may be, of which some may be missing; default: as many as there are
 * @throws HuskError ERR_QMP, ERR_TIMEOUT, ERR_ABORTED
 */
export async function closeDescriptors(
  client: QmpClient,
  name: string,
  options: QmpOptions,
  queues = 0,
): Promise<void> {
  for (let index = 0; ; index++) {
    const isClosed = await closeDescriptor(client, descriptorName(name, index), options);
    if (!isClosed && index + 1 >= queues) return;
  }
}

/** @returns false when there is none of that name */
async function closeDescriptor(client: QmpClient, fdname: string, options: QmpOptions): Promise<boolean> {
  try {
    await client.execute({ execute: "closefd", arguments: { fdname } }, options);
    return true;
  } catch (error) {
    if (!isRefusal(error, "GenericError")) throw error;
    return false;
  }
}

async function runHelper(
  nic: Nic,
  { netNSPath, tapHelperPath }: NicOrigin,
  connection: number,
  input: string,
  options: QmpOptions,
): Promise<void> {
  if (tapHelperPath === undefined) throw needsHelper(nic);
  const namespace = netNSPath === undefined ? [] : ["-netns", netNSPath];
  const args = ["-socket-fd", String(CONNECTION_FD), ...namespace, ...interfaceArguments(nic)];
  const { failure } = await captureCommand(tapHelperPath, args, {
    ...options,
    input,
    descriptors: [connection],
    maxOutputBytes: 0,
  });
  if (failure === undefined) return;
  if (/cannot be run: .*(ENOENT|EACCES)/.test(failure)) {
    const hint = "Check hypervisorConfig.tapHelperPath; the set-up makes husk's own (npm run setup).";
    throw new HuskError("ERR_ASSET_MISSING", `the program that opens interfaces: ${failure}`, { hint });
  }
  const code = CANNOT_ENTER.test(failure) ? "ERR_NETWORK_NAMESPACE" : "ERR_NETWORK_LINK";
  const text = `the interface ${nic.name} cannot be given to the VM: ${failure.replace(/^husk-tap: /, "")}`;
  throw new HuskError(code, text);
}

function interfaceArguments({ name, backend }: Nic): string[] {
  if (backend.type === "tap") return ["-tap", backend.ifName];
  if (backend.type === "macvtap") return ["-node", backend.path];
  throw new Error(`the interface ${name} has no descriptors`);
}

function needsHelper({ name, backend }: Nic): HuskError {
  const why =
    backend.type === "macvtap" ? "is a macvtap interface" : "is in another network namespace than the VM";
  const text = `the interface ${name} ${why}, and needs a program that opens it`;
  const hint = "Name it in hypervisorConfig.tapHelperPath: build/resident/husk-tap after the set-up.";
  return new HuskError("ERR_NOT_SUPPORTED", text, { hint });
}

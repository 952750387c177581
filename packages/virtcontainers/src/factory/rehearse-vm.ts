import { randomBytes } from "node:crypto";
import { GuestProcess } from "../agent/guest-process.ts";
import { type AgentSession, identityControlOf, rehearsalControlOf } from "../agent/types.ts";
import { withDeadline } from "../deadline.ts";
import { HuskError, isHuskError } from "../errors/index.ts";
import { deadlineMs } from "../hypervisor/deadlines.ts";
import type { WaitOptions } from "../hypervisor/types.ts";
import { detectImageFormat } from "../storage/image-format.ts";
import type { DriveRecord } from "../store/pod-record.ts";
import { REHEARSAL_OUTPUT, REHEARSAL_PROGRAM } from "./rehearsal-program.ts";

/** Name of the pod and of the container that are made and taken away. */
const NAME = "rehearsal";
/** Random bytes that the guest is fed: twice what the kernel's generator holds. */
const RANDOM_BYTES = 64;

/** A VM whose agent has answered, and that has had no pod yet. */
export interface RehearsedVm {
  readonly session: AgentSession;
  /** its disk, with an image that `makePlaceholder` made; missing: it has none */
  readonly placeholder: DriveRecord | undefined;
  /** by how much every deadline is stretched on it */
  readonly deadlineFactor: number;
}

/**
 * Has a VM do once what every pod does: a container is started, and taken away again. What the guest then has in memory, its
 * next container need not wait for. Afterwards the VM is as one that has had no pod.
 * @returns whether it was done; it is not when the agent cannot take a pod away, or there is nothing to start a container from
 * @throws HuskError ERR_AGENT_REFUSED, ERR_VM_LOST, ERR_TIMEOUT, ERR_ABORTED, …: the VM is of no use any more
 */
export async function rehearseVm(vm: RehearsedVm, { signal, mark }: WaitOptions): Promise<boolean> {
  const { placeholder } = vm;
  const session = rehearsalControlOf(vm.session);
  if (!session || !placeholder || detectImageFormat(placeholder.imagePath) !== "erofs") return false;
  try {
    await session.clearPod({ signal });
  } catch (error) {
    if (isHuskError(error, "ERR_AGENT_REFUSED")) return false;
    throw error;
  }
  await identityControlOf(session)?.renewIdentity(randomBytes(RANDOM_BYTES), { signal });
  await session.startPod({ podId: NAME, hostname: NAME, shares: [], addresses: [] }, { signal });
  await runContainer(session, placeholder, { signal, ms: deadlineMs("agentStart", vm.deadlineFactor) });
  await session.removeContainer(NAME, { signal });
  await session.clearPod({ signal });
  mark?.("rehearsed");
  return true;
}

/** Whether an error of `rehearseVm` is that the guest cannot do what is rehearsed: it is good for other pods all the same. */
export function isUnrehearsable(error: unknown): boolean {
  return isHuskError(error, "ERR_AGENT_REFUSED") || isHuskError(error, "ERR_AGENT_PROTOCOL");
}

async function runContainer(
  session: AgentSession,
  { id: drive, addr }: DriveRecord,
  limits: { signal: AbortSignal | undefined; ms: number },
): Promise<void> {
  const io = new GuestProcess({ terminal: false, attached: true });
  io.stdin.end();
  io.stderr?.resume();
  const output: Buffer[] = [];
  io.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  const root = { drive, ...(addr === undefined ? {} : { addr }), fstype: "erofs" };
  const storage = { root, shared: [], mounts: [], devices: [] };
  const config = { id: NAME, rootFs: "/", cmd: { args: [REHEARSAL_PROGRAM] } };
  await session.startContainer({ config, storage }, io, limits);
  const { exitCode } = await withDeadline(io.wait(), {
    ...limits,
    what: "the end of a program to rehearse with",
  });
  const said = Buffer.concat(output).toString();
  if (exitCode === 0 && said === REHEARSAL_OUTPUT) return;
  const text = `the program to rehearse with said ${JSON.stringify(said)}, and ended with status ${exitCode}`;
  throw new HuskError("ERR_AGENT_PROTOCOL", text);
}

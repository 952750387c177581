import type { AgentSession } from "../agent/types.ts";
import { type ErrorCode, isHuskError, messageOf } from "../errors/index.ts";
import type { VmNetwork } from "../hypervisor/types.ts";
import type { StoragePlan } from "../storage/storage-plan.ts";
import type { UndoStack } from "../undo-stack.ts";
import { furnishVm, meetAnew } from "./adopt-vm.ts";
import type { ClaimedVm } from "./claim-vm.ts";
import type { OpenPod } from "./open-pod.ts";
import { residentsOf, startResidents } from "./residents.ts";
import { SpoiltVmError } from "./spoilt-vm.ts";

/** What a VM that is made for the pod need not run into: what it has from its start, nobody has to plug in. */
const OWN_VM_HELPS: readonly ErrorCode[] = [
  "ERR_NO_DEVICE_SLOT",
  "ERR_NOT_SUPPORTED",
  "ERR_ASSET_MISSING",
  "ERR_QMP",
  "ERR_VM_LOST",
];

/**
 * Waits until a claimed VM goes on, meets its agent, by the pod's proxy if it has one, and gives it what the pod has.
 * @throws SpoiltVmError when it does not go on, ends meanwhile, or cannot be given that; HuskError as `furnishVm`
 */
export async function adoptClaimed(
  pod: OpenPod,
  { awake }: ClaimedVm,
  plans: readonly StoragePlan[],
  network: VmNetwork | undefined,
  undo: UndoStack,
): Promise<void> {
  // Such a device is the VM's from its start.
  if (network && network.vfioDevices.length > 0)
    throw new SpoiltVmError("one of its interfaces is a device of the host");
  const session = await meetClaimed(pod, awake, undo).catch((error: unknown) =>
    throwSpoilt(error, (code) => code !== "ERR_ABORTED"),
  );
  await furnishVm(pod, session, plans, network, undo).catch((error: unknown) =>
    throwSpoilt(error, (code) => OWN_VM_HELPS.includes(code)),
  );
}

async function meetClaimed(pod: OpenPod, awake: Promise<void>, undo: UndoStack): Promise<AgentSession> {
  await awake;
  pod.call.mark("vm-resumed");
  await startResidents(residentsOf(pod), pod.call, undo, true);
  return meetAnew(pod);
}

function throwSpoilt(cause: unknown, isSpoilt: (code: ErrorCode) => boolean): never {
  if (isHuskError(cause) && isSpoilt(cause.code)) throw new SpoiltVmError(messageOf(cause), { cause });
  throw cause;
}

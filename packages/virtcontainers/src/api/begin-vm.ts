import { existsSync } from "node:fs";
import { HuskError, isHuskError } from "../errors/index.ts";
import type { VmTemplate } from "../hypervisor/types.ts";
import { leaveNetworks } from "../network/release.ts";
import { joinNetworks } from "../network/set-up.ts";
import { endShares } from "../storage/shares.ts";
import type { StoragePlan } from "../storage/storage-plan.ts";
import { UndoStack } from "../undo-stack.ts";
import { adoptClaimed } from "./adopt-claimed.ts";
import { connectVm, prepareVm, startVm } from "./boot.ts";
import type { ClaimedVm } from "./claim-vm.ts";
import type { OpenPod } from "./open-pod.ts";
import { adoptClone } from "./pod-template.ts";
import type { PodToBe } from "./pod-to-be.ts";
import { residentsOf, startResidents } from "./residents.ts";
import { SpoiltVmError } from "./spoilt-vm.ts";
import { vmSizeOf } from "./vm-size.ts";
import { type VmSource, warnOfMiss, withoutCache } from "./vm-source.ts";

/** How a pod comes to its VM. */
export interface VmWay {
  readonly plans: readonly StoragePlan[];
  /** it waited */
  readonly claimed?: ClaimedVm | undefined;
  /** it begins as a copy of this one; neither: it boots */
  readonly template?: VmTemplate | undefined;
}

/**
 * Joins a pod to its networks, and gives it its VM. One that was ready-made may turn out to be of no use: then the pod gets another one in
 * its place, with a warning. Its PreStart hooks have run, and do so once.
 * @throws HuskError as `joinNetworks`, `startVm` and `connectVm`
 */
export async function beginVm(
  toBe: PodToBe,
  first: VmWay,
  source: VmSource,
  undo: UndoStack,
): Promise<OpenPod> {
  for (let way = first; ; ) {
    const attempt = new UndoStack();
    undo.push(() => attempt[Symbol.asyncDispose]());
    try {
      return await beginWith(toBe, way, attempt);
    } catch (error) {
      const cause = findSpoiler(error, way);
      if (cause === undefined) throw error;
      await giveVmUp(toBe, attempt);
      way = await nextWay(toBe, way, source, cause);
    }
  }
}

/** What has made a ready-made VM useless; undefined: another one would be no better. */
function findSpoiler(error: unknown, { template }: VmWay): unknown {
  if (error instanceof SpoiltVmError) return error.cause ?? error;
  const isOver = !isHuskError(error) || error.code === "ERR_ABORTED";
  return isOver || !template || isThere(template) ? undefined : error;
}

/** Tells why a pod's VM is none that was ready-made, and prepares another. @throws HuskError as `prepareVm` */
async function nextWay(
  { record, hypervisor, call }: PodToBe,
  { claimed }: VmWay,
  source: VmSource,
  cause: unknown,
): Promise<VmWay> {
  if (claimed) warnOfMiss(record.config, call, cause);
  else {
    const { id: podId } = record.config;
    const text = `the VM of pod "${podId}" boots, as the template that it was to begin with was removed`;
    call.warn(new HuskError("ERR_STORE", text, { podId, cause }));
  }
  // Its keeper may make the next.
  claimed?.[Symbol.dispose]();
  return prepareVm(record, hypervisor, call, claimed ? withoutCache(source).factory : undefined);
}

async function beginWith(toBe: PodToBe, way: VmWay, undo: UndoStack): Promise<OpenPod> {
  const { record, call, hypervisor, site } = toBe;
  const { plans, claimed } = way;
  const isClone = way.template !== undefined;
  const network = await joinNetworks(record, vmSizeOf(record.config).vcpus, site);
  if (network) call.mark("network-joined");
  undo.push(() => endShares(record, toBe.directory));
  undo.push(() => hypervisor.stopPod(toBe.directory));
  if (!claimed) await startVm(record, hypervisor, toBe.directory, call, network, isClone);
  const pod = await toBe.publish();
  if (claimed) {
    await adoptClaimed(pod, claimed, plans, network, undo);
  } else {
    await startResidents(residentsOf(pod), call, undo, isClone);
    await (isClone ? adoptClone(pod, plans, network, undo) : connectVm(pod, plans));
  }
  return pod;
}

/** Whether a template has not been removed since it was found. */
function isThere({ memoryPath, statePath }: VmTemplate): boolean {
  return existsSync(memoryPath) && existsSync(statePath);
}

/**
 * Gives up a VM that could not be used, so that the pod can have another one in its place. What its hooks have done stays, and so
 * does the namespace that they have done it in.
 * @param undo what undoes what was done for it
 * @throws HuskError when it cannot be ended, or its networks cannot be left
 */
async function giveVmUp(
  { record, call, hypervisor, site, directory, pod }: PodToBe,
  undo: UndoStack,
): Promise<void> {
  pod?.live.session?.close();
  await undo[Symbol.asyncDispose]();
  // Else there could be two of one pod.
  await hypervisor.stopPod(directory);
  directory.removeSockets();
  delete record.vm;
  delete record.vmSize;
  for (const containerId of Object.keys(record.containers))
    record.containers[containerId] = { state: "ready" };
  await leaveNetworks(record, site);
  call.mark("vm-given-up");
}

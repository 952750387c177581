import { HuskError } from "../errors/index.ts";
import { PLACEHOLDER_ID } from "../factory/blank-vm.ts";
import { NO_TEMPLATES, templateObstacle } from "../factory/build-template.ts";
import { canReplacePlaceholder } from "../factory/placeholder.ts";
import { templateFor, templateStore } from "../factory/template.ts";
import { type Hypervisor, templatingOf, type VmNetwork, type VmTemplate } from "../hypervisor/types.ts";
import type { StoragePlan } from "../storage/storage-plan.ts";
import type { DriveRecord, PodRecord } from "../store/pod-record.ts";
import type { FactoryConfig } from "../types/index.ts";
import type { UndoStack } from "../undo-stack.ts";
import { furnishVm, meetAnew } from "./adopt-vm.ts";
import type { Call } from "./call.ts";
import type { OpenPod } from "./open-pod.ts";
import { baseSizeOf } from "./vm-size.ts";

/**
 * The template that a pod's VM can begin with. Of the pod's disks, those behind the first are then plugged in later.
 * @returns undefined, with a warning: the VM must boot
 */
export async function findTemplate(
  record: PodRecord,
  hypervisor: Hypervisor,
  factory: FactoryConfig,
  call: Call,
): Promise<VmTemplate | undefined> {
  const problem = findObstacle(record, hypervisor);
  if (problem) {
    const text = `the VM of pod "${record.config.id}" boots, as it cannot be a copy: ${problem}`;
    call.warn(new HuskError("ERR_NOT_SUPPORTED", text, { podId: record.config.id }));
    return undefined;
  }
  const store = templateStore(factory, call.root);
  const { template } = await templateFor(record.config, baseSizeOf(record.config), store, call);
  call.mark("template-found");
  record.drives = await drivesOfCopy(record, () => store.placeholder(call.signal));
  return template;
}

/**
 * The disks that a copy begins with. Its guest has seen one that cannot be written to, in whose place only another such can be;
 * the others are plugged in.
 */
async function drivesOfCopy(
  { config, drives }: PodRecord,
  placeholder: () => Promise<string>,
): Promise<DriveRecord[]> {
  if (config.hypervisorConfig?.blockDeviceDriver === "virtio-scsi") return [];
  const first = drives.find(canReplacePlaceholder);
  return [{ ...(first ?? { imagePath: await placeholder() }), id: PLACEHOLDER_ID }];
}

/** Why a pod's VM cannot begin as a copy. */
function findObstacle(
  { config, shares, hostDevices = [] }: PodRecord,
  hypervisor: Hypervisor,
): string | undefined {
  if (!templatingOf(hypervisor)) return NO_TEMPLATES;
  if (shares.length > 0) return "it shares directories, and shared memory cannot be copied";
  if (hostDevices.length > 0) return "it has devices of the host";
  return templateObstacle(config.hypervisorConfig ?? {});
}

/**
 * Takes over a VM that begins as a copy of another: a clock, random numbers, disks, processors, memory and networks of its own.
 * @throws HuskError as `Templating.loadTemplate`, `meetAnew` and `furnishVm`
 */
export async function adoptClone(
  pod: OpenPod,
  plans: readonly StoragePlan[],
  network: VmNetwork | undefined,
  undo: UndoStack,
): Promise<void> {
  const { hypervisor, directory, call } = pod;
  await hypervisor.waitPod(directory, call);
  await templatingOf(hypervisor)?.loadTemplate(directory, call);
  call.mark("template-loaded");
  await furnishVm(pod, await meetAnew(pod, { atRest: true }), plans, network, undo);
}

import { joinNetworkNamespace, type NamespaceMember, ownMember } from "../hooks/namespace-member.ts";
import { type OciState, ociState } from "../hooks/oci-state.ts";
import { runHook } from "../hooks/run-hook.ts";
import type { Hypervisor } from "../hypervisor/types.ts";
import type { PodRecord } from "../store/pod-record.ts";
import { isProcessAlive } from "../store/process-identity.ts";
import type { Hook, PodConfig } from "../types/index.ts";
import type { UndoStack } from "../undo-stack.ts";
import type { OpenPod } from "./open-pod.ts";

/** Whether a pod has any hooks. */
export function hasHooks({ hooks }: PodConfig): boolean {
  return Object.values(hooks ?? {}).some((list: Hook[] | undefined) => (list ?? []).length > 0);
}

/**
 * Runs the PreStart hooks of a pod whose VM is about to be started, in its network namespace or, when it has none of its
 * own, in that of this process. What they have done is undone by the PostStop hooks.
 * @throws HuskError ERR_HOOK_FAILED, ERR_HOOK_TIMEOUT, ERR_ABORTED
 */
export async function runPreStartHooks(pod: OpenPod, undo: UndoStack): Promise<void> {
  const { preStartHooks = [], postStopHooks = [] } = pod.record.config.hooks ?? {};
  if (postStopHooks.length > 0) {
    pod.record.postStopDue = true;
    undo.push(() => runDuePostStopHooks(pod));
    pod.save();
  }
  if (preStartHooks.length === 0) return;
  const { netNSPath } = pod.record.network ?? {};
  await using member = netNSPath === undefined ? ownMember() : await joinNetworkNamespace(netNSPath);
  await runInOrder(preStartHooks, pod, "PreStart", "creating", member.pid);
}

/** Runs the PostStart hooks. They may call husk themselves, so that the pod's lock is not to be held. */
export async function runPostStartHooks(pod: OpenPod): Promise<void> {
  const { postStartHooks = [] } = pod.record.config.hooks ?? {};
  const { vm } = pod.record;
  if (vm) await warnOf(pod, () => runInOrder(postStartHooks, pod, "PostStart", "running", vm.pid));
}

/** PostStop hooks that are to be run. */
interface PostStop extends AsyncDisposable {
  /** Runs them, when the VM has ended; what goes wrong is a warning. */
  run(): Promise<void>;
}

/** Makes ready to run the PostStop hooks, while the VM may still live and with it its network namespace. */
export async function preparePostStop(pod: OpenPod): Promise<PostStop> {
  const { record, hypervisor } = pod;
  const { postStopHooks = [] } = record.config.hooks ?? {};
  let member: NamespaceMember | undefined;
  if (record.postStopDue) {
    await warnOf(pod, async () => {
      member = await joinNetworkOf(record, hypervisor);
    });
  }
  return {
    run: async () => {
      if (!member) return;
      const { pid } = member;
      await warnOf(pod, () => runInOrder(postStopHooks, pod, "PostStop", "stopped", pid));
      // Only now: when this process is killed meanwhile, they are run again.
      delete record.postStopDue;
      pod.save();
    },
    [Symbol.asyncDispose]: async () => member?.[Symbol.asyncDispose](),
  };
}

/** A process in the network namespace of a pod. That of a VM that is just ending goes with it: then this process will do. */
async function joinNetworkOf({ network }: PodRecord, hypervisor: Hypervisor): Promise<NamespaceMember> {
  const path = network?.netNSPath ?? namespaceOf(hypervisor);
  if (path === undefined) return ownMember();
  try {
    return await joinNetworkNamespace(path);
  } catch (error) {
    if (network?.netNSPath !== undefined || namespaceOf(hypervisor) !== undefined) throw error;
    return ownMember();
  }
}

/** The network namespace that a VM lives in. */
function namespaceOf({ vm }: Pick<Hypervisor, "vm">): string | undefined {
  return vm && isProcessAlive(vm) ? `/proc/${vm.pid}/ns/net` : undefined;
}

/** Runs the PostStop hooks of a pod that has no VM, if they are due: when its VM has ended by itself. */
export async function runDuePostStopHooks(pod: OpenPod): Promise<void> {
  await using postStop = await preparePostStop(pod);
  await postStop.run();
}

async function runInOrder(
  hooks: readonly Hook[],
  { record, call }: OpenPod,
  moment: "PreStart" | "PostStart" | "PostStop",
  status: OciState["status"],
  pid: number,
): Promise<void> {
  // What cleans up is not to be cut short.
  const signal = moment === "PostStop" ? undefined : call.signal;
  for (const hook of hooks) {
    await runHook(hook, ociState(record.config, call.root, status, pid), `the ${moment} hook`, signal);
    call.mark("hook-done");
  }
}

/** What goes wrong too late to undo anything is a warning. */
async function warnOf({ call }: OpenPod, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    call.warn(error);
  }
}

import { createAgent } from "../agent/index.ts";
import { type AgentEvents, type AgentSession, INIT_PROCESS } from "../agent/types.ts";
import { isProxyProgram } from "../config/resident-programs.ts";
import { HuskError, isHuskError, systemCode } from "../errors/index.ts";
import { withLogTail } from "../hypervisor/log-tail.ts";
import { checkState } from "../state-machine.ts";
import { lockFile } from "../store/flock.ts";
import type { PodDirectory } from "../store/pod-directory.ts";
import { isProcessAlive, type ProcessIdentity } from "../store/process-identity.ts";
import { lookAtPod, type OpenPod, withPod } from "./open-pod.ts";
import { observeRunState } from "./run-state.ts";
import { reviveProxy, throughProxy } from "./through-proxy.ts";

/** Milliseconds in which a VM that has closed its channels must have ended, if it has ended. */
const VM_END_MS = 500;

/** How a session is opened. */
interface SessionOptions {
  /** the VM has just been started */
  readonly fresh?: boolean;
  /** the VM is a copy of one whose agent had nothing to do */
  readonly atRest?: boolean;
  readonly onlyOwner?: boolean;
}

/**
 * The session with a pod's agent: the one this process has, or a new one.
 * @returns undefined only with `onlyOwner`, when another process holds the agent's channels
 */
export async function openSession(
  pod: OpenPod,
  options: SessionOptions = {},
): Promise<AgentSession | undefined> {
  const { live } = pod;
  if (pod.hasSession) return live.session;
  const opening = openAgent(pod, options);
  const session = await opening.catch((error) => explainSilence(pod, error));
  if (!session) return undefined;
  live.session = session;
  if (session.isOwner && !options.fresh) await refresh(pod, session);
  return session;
}

/** Connects to the agent, by the pod's proxy if it has one. */
function openAgent(pod: OpenPod, options: SessionOptions): Promise<AgentSession | undefined> {
  const { record, directory, call } = pod;
  const hasProxy = isProxyProgram(record.config);
  const open = () =>
    createAgent(record.config).open({
      directory,
      ...(hasProxy ? { proxySocket: directory.socket("proxy"), reviveProxy: () => reviveProxy(pod) } : {}),
      deadlineFactor: pod.hypervisor.deadlineFactor,
      fresh: options.fresh === true,
      atRest: options.atRest,
      onlyOwner: options.onlyOwner,
      signal: call.signal,
      events: eventsFor(pod),
      runningContainers: () => runningContainers(pod),
      describeLoss: (viaRelay) => describeLoss(pod, viaRelay ? "relay" : hasProxy ? "proxy" : undefined),
      mark: call.mark,
    });
  return hasProxy ? throughProxy(pod, open) : open();
}

/** An agent that does not answer may live in a VM that somebody has frozen without us. */
async function explainSilence(pod: OpenPod, error: unknown): Promise<never> {
  if (isHuskError(error, "ERR_TIMEOUT")) {
    await observeRunState(pod);
    checkState({ podId: pod.id }, pod.state, ["ready", "running"], "for its agent to answer");
  }
  throw error;
}

/** The session with a pod's agent. @throws HuskError ERR_VM_LOST, ERR_AGENT_DISCONNECTED, ERR_AGENT_PROTOCOL, … */
export async function needSession(pod: OpenPod, options: SessionOptions = {}): Promise<AgentSession> {
  const session = await openSession(pod, options);
  if (session) return session;
  throw new HuskError("ERR_AGENT_DISCONNECTED", `the agent of pod "${pod.id}" cannot be reached`, {
    podId: pod.id,
  });
}

/** Nobody may have listened for a while: asks about every container that is believed to run. */
async function refresh(pod: OpenPod, session: AgentSession): Promise<void> {
  const { containers } = pod.record;
  // A shim tells by itself what becomes of its container.
  const believed = Object.keys(containers).filter(
    (id) => ["running", "paused"].includes(containers[id]?.state ?? "") && !containers[id]?.ownShim,
  );
  await Promise.all(
    believed.map(async (containerId) => {
      if (await session.isRunning(containerId, { signal: pod.call.signal })) return;
      // An exit that was told meanwhile says more than that there is no such container.
      if (!pod.live.exits.has(containerId)) pod.live.noteExit(containerId, undefined);
      pod.live.store((signal) => storeExits(pod, signal));
    }),
  );
}

function eventsFor(pod: OpenPod): AgentEvents {
  return {
    onExit: (containerId, processId, exitCode) => {
      // What a guest makes up must not fill the memory.
      if (processId !== INIT_PROCESS || !isContainer(pod, containerId)) return;
      pod.live.noteExit(containerId, exitCode);
      pod.live.store((signal) => storeExits(pod, signal));
    },
    onClosed: () => pod.live.noteClosed(),
  };
}

/** Containers that run as far as is stored, by whomever. */
function runningContainers({ id, call }: OpenPod): string[] {
  try {
    const { containers } = lookAtPod(id, call.again()).record;
    return Object.keys(containers).filter((containerId) =>
      ["running", "paused"].includes(containers[containerId]?.state ?? ""),
    );
  } catch {
    return [];
  }
}

/** Whether the pod has such a container, be it one that another process has made since. */
function isContainer({ id, call, live }: OpenPod, containerId: string): boolean {
  if (live.containerIds.has(containerId)) return true;
  try {
    lookAtPod(id, call.again());
  } catch {
    return false;
  }
  return live.containerIds.has(containerId);
}

/** Stores what has been heard. When the pod is gone meanwhile, there is nothing to store. */
async function storeExits({ id, call, record: { uuid } }: OpenPod, signal: AbortSignal): Promise<void> {
  try {
    await withPod(id, call.again(signal), "exclusive", async (pod) => {
      if (pod.record.uuid === uuid) pod.save();
    });
  } catch {
    // The next call finds out by itself what could not be stored.
  }
}

/** What a connection to the guest led through, and what to say when it has ended and the VM has not. */
const WAYS = {
  relay: "the process that held the connection to",
  proxy: "the proxy of",
  shim: "what a shim was connected by to",
} as const;

/** Why a connection has ended: the VM has, or only what it led through. */
export async function describeLoss(
  { id: podId, directory, live, hypervisor: { vm } }: OpenPod,
  way: keyof typeof WAYS | undefined,
): Promise<HuskError> {
  // It closes its channels before it has ended; who is told that it has is to find it so.
  const hasEnded = await live.hold(hasVmEnded(directory, vm));
  if (way && !hasEnded) {
    const text = `${WAYS[way]} pod "${podId}" has ended; the pod still runs`;
    return new HuskError("ERR_AGENT_DISCONNECTED", text, { podId });
  }
  const text = withLogTail(
    `the VM of pod "${podId}" has ended`,
    "its console ends with",
    directory.file("console"),
  );
  return new HuskError("ERR_VM_LOST", text, { podId });
}

async function hasVmEnded(directory: PodDirectory, vm: ProcessIdentity | undefined): Promise<boolean> {
  try {
    const lock = await lockFile(directory.file("vmLock"), { mode: "shared", timeoutMs: VM_END_MS });
    lock?.release();
    return lock !== undefined;
  } catch (error) {
    // The directory has gone with its pod, or the hypervisor has no such lock.
    return systemCode(error) === "ENOENT" && !(vm && isProcessAlive(vm));
  }
}

import { constants } from "node:os";
import { GuestProcess } from "../agent/guest-process.ts";
import { checkId } from "../config/ids.ts";
import { checkCmd } from "../config/schema.ts";
import { HuskError } from "../errors/index.ts";
import { checkState } from "../state-machine.ts";
import type {
  CallOptions,
  Cmd,
  ContainerStatus,
  EnteredProcess,
  EnterOptions,
  VCContainer,
  VCPod,
} from "../types/index.ts";
import { Call } from "./call.ts";
import { changePod } from "./change-pod.ts";
import { containerHandle, NO_SHIM_PID, podHandle } from "./handles.ts";
import { lookAtPod, type OpenPod, withPod } from "./open-pod.ts";
import { needSession } from "./session.ts";
import { containerStatus, freshPod } from "./status-pod.ts";

const SIGKILL = 9;
const MAX_SIGNAL = 64;

/** What `enterContainer` returns. */
export interface EnteredContainer {
  readonly pod: VCPod;
  readonly container: VCContainer;
  readonly process: EnteredProcess;
}

/**
 * Runs another command in a container that runs.
 * @throws HuskError ERR_CONTAINER_NOT_FOUND, ERR_STATE_INVALID, ERR_AGENT_REFUSED, ERR_VM_LOST, ERR_AGENT_DISCONNECTED
 */
export async function enterContainer(
  podId: string,
  containerId: string,
  cmd: Cmd,
  options: EnterOptions = {},
): Promise<EnteredContainer> {
  const call = new Call(options, ["attach"]);
  checkId("pod", podId);
  checkId("container", containerId);
  checkCmd(cmd);
  const attached = options.attach === true;
  if (attached && cmd.detach)
    throw new HuskError("ERR_CONFIG_INVALID", "a detached command cannot be attached to");
  return withSessionOf(podId, call, async (pod) => {
    const { record } = pod.container(containerId);
    checkState({ podId }, pod.state, ["running"], "to run a command in it");
    const session = await needSession(pod);
    checkState(
      { podId, containerId },
      stateNow(record.state, pod.live.exits.has(containerId)),
      ["running"],
      "to be entered",
    );
    const io = new GuestProcess({ terminal: cmd.interactive === true, attached });
    const token = await session.startProcess(containerId, cmd, io, { signal: call.signal });
    call.mark("process-started");
    const process = { token, pid: NO_SHIM_PID, startTime: new Date(), io };
    return { pod: podHandle(pod), container: containerHandle(pod, containerId), process };
  });
}

/** With a session of our own, the agent itself judges; to open one, the pod must stay as it is. A paused one is looked at closely. */
async function withSessionOf<T>(podId: string, call: Call, action: (pod: OpenPod) => Promise<T>): Promise<T> {
  const pod = lookAtPod(podId, call);
  if (pod.record.pending) return changePod(podId, call, action);
  return pod.hasSession && pod.state !== "paused" ? action(pod) : withPod(podId, call, "shared", action);
}

/** A session that was just opened may have found out that the container has ended. */
function stateNow(stored: ContainerStatus["state"], hasExited: boolean): ContainerStatus["state"] {
  return hasExited && stored === "running" ? "stopped" : stored;
}

/**
 * Sends a signal to a container's first process, or to all its processes.
 * @param signal number or name; 0 asks only whether there is the container
 * @param all whether all processes are meant; so far only with SIGKILL, which the end of the first brings to all
 * @throws HuskError ERR_CONTAINER_NOT_FOUND, ERR_STATE_INVALID, ERR_CONFIG_INVALID, ERR_NOT_SUPPORTED, ERR_VM_LOST
 */
export async function killContainer(
  podId: string,
  containerId: string,
  signal: number | NodeJS.Signals,
  all = false,
  options: CallOptions = {},
): Promise<void> {
  const call = new Call(options);
  checkId("pod", podId);
  checkId("container", containerId);
  const number = signalNumber(signal);
  if (all && number !== SIGKILL) {
    throw new HuskError(
      "ERR_NOT_SUPPORTED",
      "of all signals, only SIGKILL can be sent to all processes of a container",
    );
  }
  await withSessionOf(podId, call, async (pod) => {
    const { record } = pod.container(containerId);
    checkState({ podId }, pod.state, ["ready", "running"], "to signal a container in it");
    checkState({ podId, containerId }, record.state, ["running"], "to be signalled");
    const session = await needSession(pod);
    if (await session.killContainer(containerId, number, { signal: call.signal })) return;
    const text = `container "${containerId}" of pod "${podId}" has ended`;
    throw new HuskError("ERR_STATE_INVALID", text, { podId, containerId });
  });
}

/** @throws HuskError ERR_CONFIG_INVALID */
function signalNumber(signal: number | NodeJS.Signals): number {
  const number = typeof signal === "string" ? constants.signals[signal] : signal;
  if (Number.isInteger(number) && number >= 0 && number <= MAX_SIGNAL) return number;
  throw new HuskError("ERR_CONFIG_INVALID", `${JSON.stringify(signal)} is no signal`);
}

/**
 * Tells how a container is now.
 * @throws HuskError ERR_POD_NOT_FOUND, ERR_CONTAINER_NOT_FOUND
 */
export async function statusContainer(
  podId: string,
  containerId: string,
  options: CallOptions = {},
): Promise<ContainerStatus> {
  const call = new Call(options);
  checkId("pod", podId);
  checkId("container", containerId);
  return containerStatus(await freshPod(podId, call), containerId);
}

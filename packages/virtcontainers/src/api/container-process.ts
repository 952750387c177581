import { GuestProcess } from "../agent/guest-process.ts";
import type { AgentSession } from "../agent/types.ts";
import { checkId } from "../config/ids.ts";
import { checkProcessBeside } from "../config/oci-schema.ts";
import { checkConsoleSupported } from "../config/resident-programs.ts";
import { checkCmd, checkProcessListOptions } from "../config/schema.ts";
import { anySignal } from "../deadline.ts";
import { HuskError } from "../errors/index.ts";
import type { StartedShim } from "../shim/start-shim.ts";
import { checkState } from "../state-machine.ts";
import { killProcess } from "../store/process-identity.ts";
import type {
  CallOptions,
  Cmd,
  ContainerStatus,
  EnteredProcess,
  EnterOptions,
  OciProcess,
  ProcessList,
  ProcessListOptions,
  VCContainer,
  VCPod,
} from "../types/index.ts";
import { Call } from "./call.ts";
import { changePod } from "./change-pod.ts";
import { containerHandle, NO_SHIM_PID, podHandle } from "./handles.ts";
import { lookAtPod, type OpenPod, withPod } from "./open-pod.ts";
import { needSession } from "./session.ts";
import { carrierFor } from "./shim-carrier.ts";
import { clearLeftExits, type ShimmedProcess } from "./shim-files.ts";
import { signalNumber } from "./signal-number.ts";
import { containerStatus, freshPod } from "./status-pod.ts";

const SIGKILL = 9;

/** What `enterContainer` returns. */
export interface EnteredContainer {
  readonly pod: VCPod;
  readonly container: VCContainer;
  readonly process: EnteredProcess;
}

/**
 * Runs another command in a container that runs. Go: `EnterContainer`.
 * @throws HuskError ERR_CONTAINER_NOT_FOUND, ERR_STATE_INVALID, ERR_AGENT_REFUSED, ERR_VM_LOST, ERR_AGENT_DISCONNECTED
 */
export async function enterContainer(
  podId: string,
  containerId: string,
  cmd: Cmd,
  options: EnterOptions = {},
): Promise<EnteredContainer> {
  const call = new Call(options, ["attach", "ownSession", "ociProcess"]);
  checkId("pod", podId);
  checkId("container", containerId);
  checkCmd(cmd);
  const { attach: attached = false, ownSession = false, ociProcess } = options;
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
    checkConsoleSupported(pod.record.config, cmd, containerId);
    if (ociProcess) checkProcessBeside(ociProcess, cmd, pod.record.config);
    const start = { containerId, cmd, isFirst: false, attached, ownSession };
    const process = await startProcess(pod, session, start, ociProcess);
    return { pod: podHandle(pod), container: containerHandle(pod, containerId), process };
  });
}

async function startProcess(
  pod: OpenPod,
  session: AgentSession,
  process: ShimmedProcess,
  ociProcess: OciProcess | undefined,
): Promise<EnteredProcess> {
  const { containerId, cmd, attached } = process;
  const io = new GuestProcess({ terminal: cmd.interactive === true, attached });
  let shim: StartedShim | undefined;
  let processId: string | undefined;
  const { carrier, failed, begin } = carrierFor(pod, process, io, {
    beforeStart: async () => clearLeftExits(pod.directory, containerId),
    onStart: (started) => {
      shim = started;
      pod.call.mark("shim-started");
    },
    onEnd: (_shim, { told }) => {
      // As if the shim, which was killed, had been the process itself.
      if (!told && processId !== undefined)
        session.signalProcess(containerId, processId, SIGKILL, {}).catch(() => {});
    },
  });
  try {
    const signal = anySignal(pod.call.signal, failed);
    processId = await session.startProcess(containerId, cmd, carrier, { signal, ociProcess });
    await begin();
    pod.call.mark("process-started");
    return { token: processId, pid: shim?.identity.pid ?? NO_SHIM_PID, startTime: new Date(), io };
  } catch (error) {
    if (shim) killProcess(shim.identity);
    throw failed.aborted ? failed.reason : error;
  }
}

/**
 * Sends a signal to a process that `enterContainer` has started. One that has ended is no error. Ours alone.
 * @param token the process's
 * @param signal number or name
 * @throws HuskError ERR_CONTAINER_NOT_FOUND, ERR_STATE_INVALID, ERR_CONFIG_INVALID, ERR_VM_LOST
 */
export async function signalProcess(
  podId: string,
  containerId: string,
  token: string,
  signal: number | NodeJS.Signals,
  options: CallOptions = {},
): Promise<void> {
  const call = new Call(options);
  checkId("pod", podId);
  checkId("container", containerId);
  const number = signalNumber(signal);
  await withSessionOf(podId, call, async (pod) => {
    pod.container(containerId);
    checkState({ podId }, pod.state, ["running"], "to signal a process in it");
    const session = await needSession(pod);
    await session.signalProcess(containerId, token, number, { signal: call.signal });
  });
}

/**
 * With a session of our own, the agent itself judges; to open one, the pod must stay as it is. Whether one is still paused
 * is asked for.
 */
export async function withSessionOf<T>(
  podId: string,
  call: Call,
  action: (pod: OpenPod) => Promise<T>,
): Promise<T> {
  const pod = lookAtPod(podId, call);
  if (pod.record.pending) return changePod(podId, call, action);
  return pod.hasSession && pod.state !== "paused" ? action(pod) : withPod(podId, call, "shared", action);
}

/** A session that was just opened may have found out that the container has ended. */
function stateNow(stored: ContainerStatus["state"], hasExited: boolean): ContainerStatus["state"] {
  return hasExited && stored === "running" ? "stopped" : stored;
}

/**
 * Lists the processes in a container that runs. Go: `ProcessListContainer`.
 * @returns text: an array of process ids as JSON, as the pod numbers them; or a table. A pod with the noop agent has none
 * @throws HuskError ERR_CONTAINER_NOT_FOUND, ERR_STATE_INVALID, ERR_CONFIG_INVALID, ERR_AGENT_REFUSED for an option of ps(1)
 *   that the agent does not know, ERR_AGENT_PROTOCOL, ERR_VM_LOST
 */
export async function processListContainer(
  podId: string,
  containerId: string,
  list: ProcessListOptions,
  options: CallOptions = {},
): Promise<ProcessList> {
  const call = new Call(options);
  checkId("pod", podId);
  checkId("container", containerId);
  checkProcessListOptions(list);
  return withSessionOf(podId, call, async (pod) => {
    const { record } = pod.container(containerId);
    checkState({ podId }, pod.state, ["running"], "to list processes in it");
    const session = await needSession(pod);
    const state = stateNow(record.state, pod.live.exits.has(containerId));
    checkState({ podId, containerId }, state, ["running"], "to list its processes");
    return session.listProcesses(containerId, list, { signal: call.signal });
  });
}

/**
 * Tells how a container is now. Go: `StatusContainer`.
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

/** The one pod of the Kata door: there is none, or it is being made, or it runs, or it is ending. */

import * as sys from "tiny:sys";
import { callSoon, SIGKILL, SIGTERM } from "@husk/tiny";
import type { CreateContainerRequest, CreateSandboxRequest } from "@husk/wire/kata";
import { StatusCode, TtrpcError } from "@husk/wire/ttrpc";
import { requireModule } from "../boot/modules.ts";
import type { Container } from "../core/container.ts";
import { findDevices } from "../core/device-handlers/index.ts";
import { raisePodLoopback } from "../core/network/links.ts";
import { findGuestHooks } from "../core/oci/guest-hooks.ts";
import type { HookPlan } from "../core/oci/hooks.ts";
import { planOciContainer } from "../core/oci/plan-container.ts";
import { specFault } from "../core/oci/spec-fault.ts";
import { OomEvents } from "../core/oom-events.ts";
import { Pod } from "../core/pod.ts";
import { Sandbox } from "../core/sandbox.ts";
import { addStorages, POD, releaseStorages } from "../core/storages/index.ts";
import { KataContainer } from "./kata-container.ts";
import { KataProcess } from "./kata-process.ts";
import { withTimeout } from "./with-timeout.ts";

/** Longest name of a host in the kernel. */
const HOSTNAME_BYTES = 64;
/** What an id of a container may look like: it becomes the name of a folder. */
const CONTAINER_ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

/** A pod that runs. */
interface Running {
  pod: Pod;
  hooks: Partial<HookPlan>;
}

/** See the head of the file. */
export class KataSandbox {
  /** containers that were out of memory */
  readonly oomEvents = new OomEvents();
  #running: Running | undefined;
  /** what is under way with the pod as a whole */
  #changing: "being made" | "ending" | undefined;
  readonly #containers = new Map<string, KataContainer>();
  /** containers that are being made or removed, by their ids */
  readonly #busy = new Map<string, Promise<void>>();

  /** Makes the pod. What a failure leaves is undone. @throws TtrpcError ALREADY_EXISTS */
  async create(request: CreateSandboxRequest): Promise<void> {
    if (this.#running || this.#changing)
      throw new TtrpcError(StatusCode.ALREADY_EXISTS, "the sandbox is there already");
    if (sys.encodeUtf8(request.hostname).length > HOSTNAME_BYTES)
      throw specFault(`hostname "${request.hostname}" is longer than ${HOSTNAME_BYTES} bytes`);
    this.#changing = "being made";
    try {
      this.#running = await make(request);
    } finally {
      this.#changing = undefined;
    }
  }

  /** Ends the pod with all that is in it. Without a pod there is nothing to do. */
  async destroy(): Promise<void> {
    this.#refuseWhileChanging();
    const running = this.#running;
    if (!running) return;
    this.#changing = "ending";
    this.#running = undefined;
    try {
      // What is half made would be left behind.
      await Promise.allSettled(this.#busy.values());
      // Else those would be waited for that the kernel keeps the signal from.
      for (const { init } of this.#containers.values()) {
        if (init.effectiveSignal(SIGTERM) === SIGKILL) init.signal(SIGKILL, false);
      }
      await running.pod.end();
      for (const container of this.#containers.values()) await this.#finish(container);
      await releaseStorages(POD);
      this.oomEvents.forget();
      sys.sync();
      await Sandbox.restock();
    } finally {
      this.#changing = undefined;
    }
  }

  #refuseWhileChanging(): void {
    if (this.#changing)
      throw new TtrpcError(StatusCode.FAILED_PRECONDITION, `the sandbox is ${this.#changing}`);
  }

  get #pod(): Running {
    this.#refuseWhileChanging();
    if (!this.#running) throw new TtrpcError(StatusCode.FAILED_PRECONDITION, "there is no sandbox");
    return this.#running;
  }

  /** Sets a container up, whose first process waits. What a failure leaves is undone. */
  async createContainer(request: CreateContainerRequest): Promise<void> {
    const running = this.#pod;
    const { containerId: id } = request;
    if (!CONTAINER_ID.test(id)) throw specFault(`"${id.slice(0, 200)}" is not an id of a container`);
    if (this.#containers.has(id) || this.#busy.has(id))
      throw new TtrpcError(StatusCode.ALREADY_EXISTS, `container "${id}" is there already`);
    refuseUnsupported(request);
    await this.#occupy(id, this.#makeContainer(running, request));
  }

  /** Keeps others from a container while something is done with it. */
  async #occupy(id: string, work: Promise<void>): Promise<void> {
    this.#busy.set(id, work);
    try {
      await work;
    } finally {
      this.#busy.delete(id);
    }
  }

  async #makeContainer({ pod, hooks }: Running, request: CreateContainerRequest): Promise<void> {
    const { containerId: id, OCI: spec, execId, stringUser, sandboxPidns: sharesPids } = request;
    if (!spec) throw specFault("the request has no OCI specification");
    await findDevices(request.devices, spec);
    await addStorages(request.storages, id);
    try {
      const plan = planOciContainer(spec, { id, stringUser, sharesPids, guestHooks: hooks });
      const init = new KataProcess(execId || id);
      const container = await pod.createContainer(plan, init.attachment());
      this.#containers.set(id, new KataContainer(container, init, plan));
      this.oomEvents.watch(id, container.cgroup);
    } catch (error) {
      await releaseStorages(id);
      throw error;
    }
  }

  /** Removes a container, with all that runs in it. @throws TtrpcError DEADLINE_EXCEEDED when it takes longer */
  async removeContainer(id: string, timeoutSeconds: number): Promise<void> {
    const { pod } = this.#pod;
    const container = this.container(id);
    if (this.#busy.has(id))
      throw new TtrpcError(StatusCode.FAILED_PRECONDITION, `container "${id}" is being removed`);
    await this.#occupy(id, this.#endContainer(pod, container, 1000 * timeoutSeconds));
  }

  async #endContainer(pod: Pod, container: KataContainer, timeoutMs: number): Promise<void> {
    container.container.kill();
    await withTimeout(container.container.freed, timeoutMs, `removing container "${container.id}"`);
    pod.forget(container.container);
    await this.#finish(container);
  }

  async #finish(container: KataContainer): Promise<void> {
    this.#containers.delete(container.id);
    await container.finish();
    await releaseStorages(container.id);
  }

  /** A container by its id. @throws TtrpcError NOT_FOUND, or FAILED_PRECONDITION without a pod */
  container(id: string): KataContainer {
    void this.#pod;
    return this.#find(id);
  }

  /** The same, also while the pod is ending: what processes say last is to be heard, and how they end. */
  lastingContainer(id: string): KataContainer {
    if (this.#changing !== "ending") void this.#pod;
    return this.#find(id);
  }

  #find(id: string): KataContainer {
    const container = this.#containers.get(id);
    if (!container) throw new TtrpcError(StatusCode.NOT_FOUND, `there is no container "${id}"`);
    return container;
  }

  /** A container whose first process has not ended. @throws TtrpcError as `container`, or FAILED_PRECONDITION */
  runningContainer(id: string): Container {
    const { container } = this.container(id);
    if (!container.running)
      throw new TtrpcError(StatusCode.FAILED_PRECONDITION, `container "${id}" is not running`);
    return container;
  }
}

async function make(request: CreateSandboxRequest): Promise<Running> {
  for (const { name, parameters } of request.kernelModules) requireModule(name, parameters.join(" "));
  const hooks = findGuestHooks(request.guestHookPath);
  const pod = await Pod.start({ hostname: request.hostname, resolvConf: request.dns });
  try {
    await addStorages(request.storages, POD);
    // The host need not wait for it.
    callSoon(raisePodLoopback);
    return { pod, hooks };
  } catch (error) {
    await pod.end();
    throw error;
  }
}

function refuseUnsupported(request: CreateContainerRequest): void {
  const refuse = (what: string) => {
    throw new TtrpcError(StatusCode.UNIMPLEMENTED, `${what} is not supported`);
  };
  if (request.sharedMounts.length > 0) refuse("shared_mounts");
  if (request.stdinPort || request.stdoutPort || request.stderrPort) refuse("a vsock port for a stream");
}

import { INIT_PROCESS } from "../agent/types.ts";
import { object, record, text } from "../config/rules.ts";
import { HuskError } from "../errors/index.ts";
import type { ContainerRecord, PodRecord } from "../store/pod-record.ts";
import { identifyProcess, isProcessAlive } from "../store/process-identity.ts";
import type { Phase, Process, ProcessIo, VCContainer, VCPod } from "../types/index.ts";
import type { Call } from "./call.ts";
import type { LivePod } from "./live-pod.ts";
import { type OpenPod, withPod } from "./open-pod.ts";

/** There is no shim process, and so no process id on the host. */
export const NO_SHIM_PID = -1;

/** The process id that stands for a container on the host, as long as that process lives: one that was told, or its shim. */
export function shimPid({ shim, ownShim }: ContainerRecord): number {
  return [shim, ownShim].find((one) => one && isProcessAlive(one))?.pid ?? NO_SHIM_PID;
}

/** When a container was last started; undefined: not yet. */
export function startTimeOf(record: ContainerRecord | undefined): Date | undefined {
  return record?.startTime === undefined ? undefined : new Date(record.startTime);
}

/** The handle of a pod, as it is now. */
export function podHandle(pod: OpenPod): VCPod {
  return new PodHandle(pod);
}

class PodHandle implements VCPod {
  readonly #call: Call;
  readonly #record: PodRecord;
  readonly #live: LivePod;
  readonly #containers: VCContainer[];

  constructor(pod: OpenPod) {
    this.#call = pod.call;
    this.#record = structuredClone(pod.record);
    this.#live = pod.live;
    this.#containers = pod.containers.map(({ id }) => new ContainerHandle(this, pod, this.#record, id));
  }

  id(): string {
    return this.#record.config.id;
  }

  annotations(key: string): string {
    const value = this.getAnnotations()[key];
    if (value !== undefined) return value;
    const text = `pod "${this.id()}" has no annotation ${JSON.stringify(key.slice(0, 200))}`;
    throw new HuskError("ERR_ANNOTATION_NOT_FOUND", text, { podId: this.id() });
  }

  getAnnotations(): Record<string, string> {
    return { ...this.#record.config.annotations };
  }

  async setAnnotations(annotations: Record<string, string>): Promise<void> {
    object({ annotations: record(text()) })({ annotations }, "");
    await withPod(this.id(), this.#call.again(), "exclusive", async (pod) => {
      pod.record.config.annotations = { ...pod.record.config.annotations, ...annotations };
      pod.save();
      this.#record.config.annotations = pod.record.config.annotations;
    });
  }

  getAllContainers(): VCContainer[] {
    return [...this.#containers];
  }

  getContainer(containerId: string): VCContainer | undefined {
    return this.#containers.find((container) => container.id() === containerId);
  }

  timings(): Phase[] {
    return this.#live.phases.length > 0 ? [...this.#live.phases] : this.#call.timings.phases();
  }
}

class ContainerHandle implements VCContainer {
  readonly #pod: VCPod;
  readonly #call: Call;
  readonly #record: PodRecord;
  readonly #live: LivePod;
  readonly #id: string;

  constructor(pod: VCPod, { call, live }: OpenPod, record: PodRecord, id: string) {
    this.#pod = pod;
    this.#call = call;
    this.#record = record;
    this.#live = live;
    this.#id = id;
  }

  id(): string {
    return this.#id;
  }

  pod(): VCPod {
    return this.#pod;
  }

  getAnnotations(): Record<string, string> {
    return { ...this.#config()?.annotations };
  }

  getPid(): number {
    const record = this.#record.containers[this.#id];
    return record ? shimPid(record) : NO_SHIM_PID;
  }

  async setPid(pid: number): Promise<void> {
    const shim = Number.isSafeInteger(pid) && pid > 0 ? identifyProcess(pid) : undefined;
    if (!shim) throw new HuskError("ERR_CONFIG_INVALID", `there is no process ${pid}`);
    await withPod(this.#pod.id(), this.#call.again(), "exclusive", async (pod) => {
      pod.container(this.#id).record.shim = shim;
      pod.save();
    });
    const own = this.#record.containers[this.#id];
    if (own) own.shim = shim;
  }

  getToken(): string {
    return this.#record.containers[this.#id]?.ownShim?.token ?? INIT_PROCESS;
  }

  process(): Process {
    const startTime = startTimeOf(this.#record.containers[this.#id]);
    return { token: this.getToken(), pid: this.getPid(), startTime };
  }

  attach(): ProcessIo {
    if (this.#record.containers[this.#id]?.state === "running") {
      const text = `container "${this.#id}" runs already; attach to it before it is started`;
      throw new HuskError("ERR_STATE_INVALID", text, { podId: this.#pod.id(), containerId: this.#id });
    }
    return this.#live.attach(this.#id, this.#config()?.cmd.interactive === true);
  }

  #config() {
    return this.#record.config.containers?.find(({ id }) => id === this.#id);
  }
}

/** The handle of one container of a pod. */
export function containerHandle(pod: OpenPod, containerId: string): VCContainer {
  const handle = podHandle(pod).getContainer(containerId);
  if (handle) return handle;
  throw new Error(`the container ${containerId} is not in its own pod`);
}

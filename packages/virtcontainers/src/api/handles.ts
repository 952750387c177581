import { INIT_PROCESS } from "../agent/types.ts";
import { object, record, text } from "../config/rules.ts";
import { HuskError } from "../errors/index.ts";
import type { PodRecord } from "../store/pod-record.ts";
import type { Phase, Process, ProcessIo, VCContainer, VCPod } from "../types/index.ts";
import { Call } from "./call.ts";
import type { LivePod } from "./live-pod.ts";
import { type OpenPod, withPod } from "./open-pod.ts";

/** There is no shim process, and so no process id on the host. */
export const NO_SHIM_PID = -1;

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
    this.#containers = pod.containers.map(({ id }) => new ContainerHandle(this, this.#record, pod.live, id));
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
    const call = new Call({ root: this.#call.root, cache: this.#call.cache });
    await withPod(this.id(), call, "exclusive", async (pod) => {
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
  readonly #record: PodRecord;
  readonly #live: LivePod;
  readonly #id: string;

  constructor(pod: VCPod, record: PodRecord, live: LivePod, id: string) {
    this.#pod = pod;
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
    return NO_SHIM_PID;
  }

  getToken(): string {
    return INIT_PROCESS;
  }

  process(): Process {
    const startTime = new Date(this.#record.containers[this.#id]?.startTime ?? 0);
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

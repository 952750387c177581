import type { Hypervisor } from "../hypervisor/types.ts";
import type { SiteOptions } from "../network/site.ts";
import { clearLeftovers, lockStaging, publishStaging } from "../store/claim.ts";
import type { PodDirectory } from "../store/pod-directory.ts";
import { type PodRecord, writeRecord } from "../store/pod-record.ts";
import { discardStaging, type Staging } from "../store/staging.ts";
import type { UndoStack } from "../undo-stack.ts";
import type { Call } from "./call.ts";
import { forgetLivePod } from "./live-pod.ts";
import { OpenPod } from "./open-pod.ts";

/** A pod that is being created. Until it has its name, its directory is hidden. */
export class PodToBe {
  readonly record: PodRecord;
  readonly call: Call;
  readonly hypervisor: Hypervisor;
  /** what its network is set up by */
  readonly site: SiteOptions;
  readonly #staging: Staging;
  readonly #undo: UndoStack;
  #directory: PodDirectory;
  #pod: OpenPod | undefined;

  /** What is made of it is undone, but not its VM. */
  constructor(record: PodRecord, call: Call, hypervisor: Hypervisor, staging: Staging, undo: UndoStack) {
    this.record = record;
    this.call = call;
    this.hypervisor = hypervisor;
    this.#staging = staging;
    this.#undo = undo;
    this.#directory = staging.directory;
    const save = () => writeRecord(this.directory.file("record"), record);
    this.site = { save, deadlineFactor: hypervisor.deadlineFactor, signal: call.signal };
    undo.push(() => this.letGo());
    undo.push(() => this.#remove());
  }

  /** where it is kept now */
  get directory(): PodDirectory {
    return this.#directory;
  }

  /** the pod, when it has its name */
  get pod(): OpenPod | undefined {
    return this.#pod;
  }

  /** Gives it its name, unless it has that. @throws HuskError ERR_POD_EXISTS, ERR_STORE */
  async publish(): Promise<OpenPod> {
    if (this.#pod) return this.#pod;
    const { call, record, hypervisor } = this;
    const { root } = call;
    await lockStaging(this.#staging);
    this.#directory = await publishStaging(this.#staging, root, record.config.id);
    call.mark("named");
    this.#undo.push(() => forgetLivePod(root, record.config.id));
    const pod = new OpenPod(call, this.#directory, record, { hypervisor, keep: true });
    this.#pod = pod;
    pod.save();
    await clearLeftovers(root);
    call.mark("published");
    return pod;
  }

  /** Lets its lock go: it is there for others. */
  letGo(): void {
    this.#staging.lock.release();
  }

  #remove(): void {
    if (this.#directory === this.#staging.directory) discardStaging(this.#directory);
    else this.#directory.remove();
  }
}

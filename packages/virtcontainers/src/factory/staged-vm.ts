import { existsSync } from "node:fs";
import { isHuskError } from "../errors/index.ts";
import type { Hypervisor } from "../hypervisor/types.ts";
import type { PodDirectory } from "../store/pod-directory.ts";
import {
  type DriveRecord,
  type PodRecord,
  readRecord,
  type VmSize,
  writeRecord,
} from "../store/pod-record.ts";
import { buryStaging, discardStaging, hideStaging } from "../store/staging.ts";
import type { VmCacheTier } from "../types/index.ts";
import type { WaitingVm } from "./vm-pool.ts";

/** Milliseconds of one wait for a VM's end. */
const WATCH_MS = 0x7fff_ffff;

/** What a waiting VM is, and is told of it. */
type WaitingRecord = PodRecord & { waiting: NonNullable<PodRecord["waiting"]> };

/** A VM that waits: a pod that is not finished, in a hidden directory of this process. Who takes it renames that. */
export class StagedVm implements WaitingVm {
  readonly hypervisor: Hypervisor;
  readonly size: VmSize;
  readonly #record: WaitingRecord;
  readonly #gone = Promise.withResolvers<void>();
  readonly #watch = new AbortController();
  #directory: PodDirectory;
  #readyAt = new Date();
  #discarding: Promise<void> | undefined;

  /** `record` tells of a VM that has been started. */
  constructor(directory: PodDirectory, hypervisor: Hypervisor, record: WaitingRecord, size: VmSize) {
    this.#directory = directory;
    this.hypervisor = hypervisor;
    this.#record = record;
    this.size = size;
    void this.#watchEnd();
  }

  get directory(): PodDirectory {
    return this.#directory;
  }

  get tier(): VmCacheTier {
    return this.#record.waiting.tier;
  }

  /** digest of what it was made of */
  get key(): string {
    return this.#record.waiting.key;
  }

  get uuid(): string {
    return this.#record.uuid;
  }

  /** disks that it has */
  get drives(): readonly DriveRecord[] {
    return this.#record.drives;
  }

  /** process of its hypervisor */
  get pid(): number {
    return this.#record.vm?.pid ?? 0;
  }

  /** since when it is as ready as it is */
  get readyAt(): Date {
    return this.#readyAt;
  }

  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  /** It is as ready as this from now on; stored, as who takes it goes by that. */
  settle(tier: VmCacheTier): void {
    this.#record.waiting.tier = tier;
    this.#readyAt = new Date();
    writeRecord(this.directory.file("record"), this.#record);
  }

  isThere(): boolean {
    return this.#discarding === undefined && existsSync(this.directory.path);
  }

  /** @throws HuskError ERR_STORE, ERR_STATE_CORRUPT: who takes it could not read what it is */
  takeBack(): boolean {
    const hidden = this.#discarding ? undefined : hideStaging(this.#directory);
    if (!hidden) return false;
    this.#directory = hidden;
    // Its taker may have left it because of that.
    readRecord(hidden.file("record"), this.#record.config.id);
    return true;
  }

  release(): void {
    this.#watch.abort();
  }

  discard(): Promise<void> {
    this.#discarding ??= this.#discard();
    return this.#discarding;
  }

  /** Out of reach first: who claims it at this moment either has it, or finds nothing. */
  async #discard(): Promise<void> {
    const grave = buryStaging(this.directory);
    if (grave) {
      await this.hypervisor.stopPod(grave);
      discardStaging(grave);
    }
    this.release();
  }

  async #watchEnd(): Promise<void> {
    const limits = { timeoutMs: WATCH_MS, signal: this.#watch.signal };
    try {
      await this.hypervisor.waitExit(this.directory, limits);
      this.#gone.resolve();
    } catch (error) {
      if (isHuskError(error, "ERR_TIMEOUT")) await this.#watchEnd();
    }
  }
}

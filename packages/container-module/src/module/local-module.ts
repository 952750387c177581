import { HuskError } from "@husk/virtcontainers";
import { messageOf, throwIfAborted } from "@husk/virtcontainers/internals";
import { clearKept } from "../state/discard.ts";
import { type ContainerName, type ContainerPlaces, placesOf } from "../state/layout.ts";
import { checkName } from "../state/names.ts";
import { readRecord } from "../state/record.ts";
import { readShimState } from "../state/shim-state.ts";
import type {
  ContainerID,
  ContainerInfo,
  ContainerModule,
  DeleteOptions,
  ExecOptions,
  ExecProcess,
  ModuleCallOptions,
  ModuleLogOptions,
  MountInfo,
  NetworkInfo,
  RunOptions,
} from "../types.ts";
import { checkCallOptions } from "./call-rules.ts";
import { concurrently } from "./concurrently.ts";
import type { ModuleContext } from "./context.ts";
import { deleteContainer } from "./delete-container.ts";
import { describeContainer } from "./describe.ts";
import { execInContainer } from "./exec-in-container.ts";
import { containerNotFound, findContainers } from "./find-containers.ts";
import { readContainerLog } from "./read-container-log.ts";
import { runContainer } from "./run-container.ts";
import { settleContainer } from "./settle.ts";
import { ShimGuard } from "./shim-guard.ts";

/** Containers that are put right at the same time. */
const MOST_AT_ONCE = 16;

/** The container module of this process. */
export class LocalModule implements ContainerModule {
  readonly #context: ModuleContext;
  readonly #guard: ShimGuard | undefined;

  /** @param guard signal until which dead shims are replaced without being asked for */
  constructor(context: ModuleContext, guard?: AbortSignal) {
    this.#context = context;
    this.#guard = guard && new ShimGuard((places) => this.#repair(places, {}), guard);
  }

  async run(
    ns: string,
    name: string,
    flist: string,
    tags: readonly string[],
    env: readonly string[],
    network: NetworkInfo | undefined,
    mounts: readonly MountInfo[],
    entrypoint: string | readonly string[],
    options: RunOptions = {},
  ): Promise<ContainerID> {
    const request = { ns, name, flist, tags, env, network, mounts, entrypoint, options };
    const id = await runContainer(this.#context, request);
    await this.#guard?.watch(this.#find(ns, id));
    return id;
  }

  async inspect(ns: string, id: ContainerID, options: ModuleCallOptions = {}): Promise<ContainerInfo> {
    checkCallOptions(options, "options");
    const places = this.#find(ns, id);
    await this.#settle(places, options);
    const info = describe(places);
    if (!info) throw containerNotFound(places);
    return info;
  }

  async delete(ns: string, id: ContainerID, options: DeleteOptions = {}): Promise<void> {
    const places = this.#find(ns, id);
    await clearKept(this.#context.directories.stateRoot);
    try {
      await deleteContainer(this.#context, places, options);
    } catch (error) {
      throw asHuskError(error, places);
    }
    await this.#guard?.watch(places);
  }

  async list(ns?: string, options: ModuleCallOptions = {}): Promise<ContainerInfo[]> {
    checkCallOptions(options, "options");
    if (ns !== undefined) checkName("namespace", ns);
    await this.settle(options, ns);
    const infos = this.#all(ns).map((places) => this.#attempt(places, () => describe(places)));
    return infos.filter((info) => info !== undefined);
  }

  async *logs(ns: string, id: ContainerID, options: ModuleLogOptions = {}): AsyncGenerator<Uint8Array> {
    const places = this.#find(ns, id);
    await this.#settle(places, options);
    yield* readContainerLog(places, options);
  }

  async exec(
    ns: string,
    id: ContainerID,
    args: readonly string[],
    options: ExecOptions = {},
  ): Promise<ExecProcess> {
    const places = this.#find(ns, id);
    await this.#settle(places, options);
    return execInContainer(places, args, options);
  }

  /**
   * Puts all containers right. What cannot be is told as a warning, and stays for another time.
   * @throws HuskError ERR_ABORTED
   */
  async settle({ signal }: ModuleCallOptions, ns?: string): Promise<void> {
    await clearKept(this.#context.directories.stateRoot);
    await concurrently(this.#all(ns), MOST_AT_ONCE, (places) => this.#settle(places, { signal }));
    throwIfAborted(signal);
  }

  #all(ns?: string): ContainerPlaces[] {
    const { directories } = this.#context;
    return findContainers(directories.stateRoot, ns).map((name) => placesOf(directories, name));
  }

  #find(ns: string, name: ContainerID): ContainerPlaces {
    checkName("namespace", ns);
    checkName("container", name);
    return placesOf(this.#context.directories, { ns, name });
  }

  async #settle(places: ContainerPlaces, options: ModuleCallOptions): Promise<void> {
    await this.#repair(places, options);
    await this.#guard?.watch(places);
  }

  /** What is wrong with it shows in what is told of it; who asks for that is not refused. */
  async #repair(places: ContainerPlaces, { signal }: ModuleCallOptions): Promise<void> {
    throwIfAborted(signal);
    try {
      await settleContainer(this.#context, places, { signal });
    } catch (error) {
      this.#warn(error, places);
    }
  }

  #attempt<T>(name: ContainerName, task: () => T): T | undefined {
    try {
      return task();
    } catch (error) {
      this.#warn(error, name);
      return undefined;
    }
  }

  #warn(error: unknown, name: ContainerName): void {
    this.#context.warn(asHuskError(error, name), name);
  }
}

/** A file system that fails for one container is no reason to refuse the others. What is no such error is a bug. */
function asHuskError(error: unknown, { name }: ContainerName): HuskError {
  if (error instanceof HuskError) return error;
  if (!(error instanceof Error && "syscall" in error)) throw error;
  return new HuskError("ERR_STORE", messageOf(error), { containerId: name, cause: error });
}

/** @throws HuskError ERR_STATE_CORRUPT, ERR_STATE_VERSION, ERR_STORE */
function describe(places: ContainerPlaces): ContainerInfo | undefined {
  const record = readRecord(places.record);
  return record && describeContainer(places, record, readShimState(places));
}

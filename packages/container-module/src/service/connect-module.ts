import { resolve } from "node:path";
import { Readable } from "node:stream";
import { HuskError } from "@husk/virtcontainers";
import { deadlineFactor, withDeadline } from "@husk/virtcontainers/internals";
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
import type { MethodParams } from "./method-params.ts";
import { PROTOCOL_VERSION } from "./methods.ts";
import { RemoteCall, unreachable } from "./remote-call.ts";
import { RemoteProcess } from "./remote-process.ts";

/** Milliseconds that a service has to tell its version. */
const VERSION_MS = 10_000;

/**
 * Connects to a container module that another process serves (`serveContainerModule`, `husk module serve`). Every call has a
 * connection of its own, so that the module may be restarted between two calls.
 * @param socket path of the service's unix socket
 * @throws HuskError ERR_MODULE_UNREACHABLE, ERR_MODULE_PROTOCOL, ERR_ABORTED
 */
export async function connectContainerModule(
  socket: string,
  { signal }: ModuleCallOptions = {},
): Promise<ContainerModule> {
  const module = new RemoteModule(resolve(socket));
  await module.checkVersion(signal);
  return module;
}

/** The module of another process. */
class RemoteModule implements ContainerModule {
  readonly #socket: string;

  constructor(socket: string) {
    this.#socket = socket;
  }

  /** @throws HuskError ERR_MODULE_PROTOCOL when the service is of another version, ERR_MODULE_UNREACHABLE when it says nothing */
  async checkVersion(signal: AbortSignal | undefined): Promise<void> {
    const call = RemoteCall.begin(this.#socket, "version", {}, { signal });
    const answer = await withDeadline(call.answer, {
      ms: VERSION_MS * deadlineFactor("kvm"),
      signal,
      what: "the container module's service",
      onTimeout: () => unreachable(this.#socket, "it says nothing"),
    }).finally(() => call.close());
    if (isObject(answer) && answer.version === PROTOCOL_VERSION) return;
    const told = JSON.stringify(answer)?.slice(0, 100);
    throw new HuskError("ERR_MODULE_PROTOCOL", `the service's version is not ${PROTOCOL_VERSION}: ${told}`);
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
    { signal, ...options }: RunOptions = {},
  ): Promise<ContainerID> {
    const source = isAddress(flist) || flist === "" ? flist : resolve(flist);
    const params = { ns, name, flist: source, tags, env, mounts, entrypoint, options };
    const id = await this.#call("run", network ? { ...params, network } : params, signal);
    if (typeof id === "string") return id;
    throw new HuskError("ERR_MODULE_PROTOCOL", "the service does not tell the container's id");
  }

  async inspect(ns: string, id: ContainerID, { signal }: ModuleCallOptions = {}): Promise<ContainerInfo> {
    return readInfo(await this.#call("inspect", { ns, id }, signal));
  }

  async delete(ns: string, id: ContainerID, { signal, ...options }: DeleteOptions = {}): Promise<void> {
    await this.#call("delete", { ns, id, options }, signal);
  }

  async list(ns?: string, { signal }: ModuleCallOptions = {}): Promise<ContainerInfo[]> {
    const containers = await this.#call("list", ns === undefined ? {} : { ns }, signal);
    if (Array.isArray(containers)) return containers.map(readInfo);
    throw new HuskError("ERR_MODULE_PROTOCOL", "the service does not tell a list of containers");
  }

  async *logs(
    ns: string,
    id: ContainerID,
    { signal, ...options }: ModuleLogOptions = {},
  ): AsyncGenerator<Uint8Array> {
    const output = new Readable({ read: () => call.resume() });
    const onOutput = (_: string, data: Uint8Array) => output.push(data);
    const call = RemoteCall.begin(this.#socket, "logs", { ns, id, options }, { signal, onOutput });
    const end = () => output.push(null);
    call.answer.then(end, end);
    try {
      yield* output;
      await call.answer;
    } finally {
      call.close();
    }
  }

  exec(
    ns: string,
    id: ContainerID,
    args: readonly string[],
    { signal, ...options }: ExecOptions = {},
  ): Promise<ExecProcess> {
    return RemoteProcess.start(this.#socket, { ns, id, args, options }, { signal });
  }

  async #call<Name extends keyof MethodParams>(
    method: Name,
    params: MethodParams[Name],
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    return await RemoteCall.begin(this.#socket, method, params, { signal }).answer;
  }
}

/** A path means the same here and there when it is absolute. */
function isAddress(reference: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(reference);
}

/** The service runs as the same user: that it tells a container is looked at, and the rest believed. */
function readInfo(value: unknown): ContainerInfo {
  if (isObject(value) && typeof value.id === "string" && isObject(value.ours))
    return value as unknown as ContainerInfo;
  throw new HuskError("ERR_MODULE_PROTOCOL", "the service does not tell what is known of a container");
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

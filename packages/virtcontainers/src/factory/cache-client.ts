import { lstatSync } from "node:fs";
import { CacheService, type GrpcStatus } from "@husk/wire/kata";
import { decodeMessage, encodeMessage, type Method, ProtobufError } from "@husk/wire/protobuf";
import { StatusCode, TtrpcError } from "@husk/wire/ttrpc";
import { connectSocket } from "../agent/socket.ts";
import { abortError } from "../deadline.ts";
import { HuskError, messageOf } from "../errors/index.ts";
import { GrpcConnection } from "../grpc/grpc-connection.ts";
import type { VmCacheStatus, VmCacheTier } from "../types/index.ts";
import { TIERS } from "./tiers.ts";

/** Limits of one call. */
export interface CacheCallOptions {
  /** milliseconds to wait at most */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

type CacheMethod = keyof typeof CacheService.methods;

/** A connection to the cache of another process. */
export class CacheClient implements Disposable {
  readonly #connection: GrpcConnection;
  readonly #endpoint: string;

  private constructor(connection: GrpcConnection, endpoint: string) {
    this.#connection = connection;
    this.#endpoint = endpoint;
  }

  /** @throws HuskError ERR_CACHE_UNREACHABLE when nobody serves it, or another user does; ERR_ABORTED */
  static async connect(endpoint: string, signal?: AbortSignal | undefined): Promise<CacheClient> {
    try {
      const { uid } = lstatSync(endpoint);
      // A VM of somebody else's would be in his hands.
      if (uid !== process.geteuid?.()) throw new Error(`it is user ${uid}'s`);
      return new CacheClient(new GrpcConnection(await connectSocket(endpoint, signal)), endpoint);
    } catch (error) {
      if (error instanceof HuskError) throw error;
      const text = `nobody serves VMs at ${endpoint}: ${messageOf(error)}`;
      throw new HuskError("ERR_CACHE_UNREACHABLE", text, { cause: error });
    }
  }

  /**
   * Asks for a VM, and waits until there is one.
   * @param words what it is to be made of
   * @returns its directory, as its keeper has named it; it is ours when we have renamed that, while we are connected
   * @throws HuskError ERR_CACHE_MISMATCH, ERR_CACHE_CLOSED, ERR_CACHE_UNREACHABLE, ERR_ABORTED
   */
  async getBaseVM(words: Readonly<Record<string, string>>, options: CacheCallOptions): Promise<string> {
    const { hypervisor } = await this.#call("GetBaseVM", options, words);
    try {
      const { Husk } = JSON.parse(Buffer.from(hypervisor as Uint8Array).toString()) as {
        Husk?: { directory?: unknown };
      };
      if (typeof Husk?.directory === "string") return Husk.directory;
    } catch {
      // As good as none.
    }
    throw new HuskError("ERR_CACHE_MISMATCH", `the server at ${this.#endpoint} does not say where its VM is`);
  }

  /** @throws HuskError ERR_CACHE_UNREACHABLE, ERR_ABORTED */
  async status(options: CacheCallOptions): Promise<VmCacheStatus> {
    return fromGrpcStatus((await this.#call("Status", options)) as unknown as GrpcStatus);
  }

  /** Asks it to end; it then does so. @throws HuskError ERR_CACHE_UNREACHABLE, ERR_ABORTED */
  async quit(options: CacheCallOptions): Promise<void> {
    await this.#call("Quit", options);
  }

  close(): void {
    this.#connection.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #call(
    name: CacheMethod,
    { timeoutMs, signal }: CacheCallOptions,
    metadata?: Readonly<Record<string, string>>,
  ): Promise<Record<string, unknown>> {
    const method: Method = CacheService.methods[name];
    const timeout = AbortSignal.timeout(timeoutMs);
    const limits = { timeoutMs, signal: signal ? AbortSignal.any([signal, timeout]) : timeout, metadata };
    try {
      const request = encodeMessage(method.request, {});
      const answer = await this.#connection.call(CacheService.name, name, request, limits);
      return decodeMessage(method.response, answer) as unknown as Record<string, unknown>;
    } catch (error) {
      if (signal?.aborted) throw abortError(signal);
      if (timeout.aborted) {
        const text = `the cache at ${this.#endpoint} has given no answer to ${name} within ${Math.round(timeoutMs)} ms`;
        throw new HuskError("ERR_TIMEOUT", text);
      }
      throw this.#toHuskError(error);
    }
  }

  #toHuskError(error: unknown): unknown {
    if (!(error instanceof TtrpcError || error instanceof ProtobufError)) return error;
    const isOther = error instanceof TtrpcError && error.code === StatusCode.FAILED_PRECONDITION;
    const code = isOther ? "ERR_CACHE_MISMATCH" : "ERR_CACHE_UNREACHABLE";
    return new HuskError(code, `the cache at ${this.#endpoint}: ${messageOf(error)}`, { cause: error });
  }
}

/** What a server of Kata's leaves out is nothing. */
function fromGrpcStatus({ pid, vmstatus, husk }: GrpcStatus): VmCacheStatus {
  const {
    rehearsed = 0,
    paused = 0,
    prepared = 0,
    claimed = 0,
    lost = 0,
    cleared = 0,
    failures = 0,
    refused = 0,
  } = husk ?? {};
  return {
    pid: Number(pid),
    key: husk?.key ?? "",
    startedAt: new Date(Number(husk?.startedAt ?? 0n)),
    vms: vmstatus.map((vm) => ({
      pid: Number(vm.pid),
      tier: toTier(vm.tier),
      leased: vm.leased,
      foreign: vm.foreign,
      readyAt: new Date(Number(vm.readyAt)),
      vcpus: vm.cpu,
      memory: vm.memory,
    })),
    wanted: { rehearsed, paused, prepared },
    ...{ claimed, lost, cleared, failures, refused },
    ...(husk?.fault ? { fault: husk.fault } : {}),
  };
}

function toTier(word: string): VmCacheTier {
  return TIERS.find((tier) => tier === word) ?? "paused";
}

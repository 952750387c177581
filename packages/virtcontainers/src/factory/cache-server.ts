import { chmodSync } from "node:fs";
import { CacheService, type GrpcStatus, type GrpcVM, type GrpcVMConfig } from "@husk/wire/kata";
import type { MessageInit } from "@husk/wire/protobuf";
import { StatusCode } from "@husk/wire/ttrpc";
import { createAgent } from "../agent/index.ts";
import { HuskError, isHuskError, messageOf } from "../errors/index.ts";
import { type GrpcCall, GrpcError, GrpcServer } from "../grpc/grpc-server.ts";
import { deadlineMs } from "../hypervisor/deadlines.ts";
import type { VmSize } from "../store/pod-record.ts";
import type { VmCacheStatus } from "../types/index.ts";
import { CacheEndpoint } from "./cache-endpoint.ts";
import { isInRange } from "./cache-key.ts";
import { CACHE_WORDS, readSize } from "./cache-words.ts";
import { type ForeignClient, TooManyForeignError } from "./foreign-leases.ts";
import type { Lease } from "./lease.ts";
import type { VmRecipe } from "./stage-vm.ts";
import type { StagedVm } from "./staged-vm.ts";
import type { TakeOptions } from "./vm-pool.ts";

/** What is served. */
interface ServedCache {
  readonly recipe: VmRecipe;
  take(options: TakeOptions): Promise<Lease<StagedVm>>;
  takeForeign(client: ForeignClient): Promise<Lease<StagedVm>>;
  status(): VmCacheStatus;
  keepUp(): Promise<void>;
  close(): Promise<void>;
}

/** Hands the VMs of a cache out to other processes, by the protocol of Kata's VMCache. */
export class CacheServer {
  readonly #cache: ServedCache;
  readonly #endpoint: CacheEndpoint;
  readonly #server: GrpcServer;

  private constructor(cache: ServedCache, endpoint: CacheEndpoint) {
    this.#cache = cache;
    this.#endpoint = endpoint;
    this.#server = new GrpcServer(CacheService, {
      Config: () => describeRecipe(cache.recipe),
      GetBaseVM: (_request, call) => this.#handOut(call),
      Status: () => toGrpcStatus(cache.status()),
      Quit: () => this.#quit(),
    });
  }

  /** @throws HuskError ERR_CACHE_IN_USE, ERR_STORE */
  static async listen(cache: ServedCache, path: string): Promise<CacheServer> {
    const endpoint = await CacheEndpoint.claim(path);
    const server = new CacheServer(cache, endpoint);
    try {
      await server.#server.listen(path);
      chmodSync(path, 0o600);
      return server;
    } catch (error) {
      endpoint.release();
      throw new HuskError("ERR_STORE", `cannot serve VMs at ${path}: ${messageOf(error)}`, { cause: error });
    }
  }

  /** Takes no more calls, and lets the socket go. */
  async close(): Promise<void> {
    await this.#server.close();
    this.#endpoint.release();
  }

  /** A client of ours says what it wants, and claims its VM while it is connected. */
  async #handOut(call: GrpcCall): Promise<MessageInit<GrpcVM>> {
    const key = call.metadata(CACHE_WORDS.key);
    if (key !== undefined) {
      // The caller may know of another kernel than we do.
      if (key !== this.#cache.recipe.key) void this.#cache.keepUp();
      checkRequest(this.#cache.recipe, key, call);
    }
    const { disconnected, signal } = call;
    const lease = await this.#take(call, key !== undefined);
    // Who has given up, or is gone, is not told where it is.
    if (signal.aborted || disconnected.aborted) lease.end();
    return describeVm(lease.vm, this.#cache.recipe);
  }

  async #take({ signal, disconnected }: GrpcCall, isOurs: boolean): Promise<Lease<StagedVm>> {
    try {
      if (!isOurs) return await this.#cache.takeForeign({ signal, disconnected });
      const lease = await this.#cache.take({ signal, leaseMs: deadlineMs("cacheClaim", 1) });
      disconnected.addEventListener("abort", lease.end, { once: true });
      return lease;
    } catch (error) {
      throw new GrpcError(statusOf(error), messageOf(error));
    }
  }

  /** The answer goes first. */
  #quit(): object {
    setImmediate(() => void this.#cache.close());
    return {};
  }
}

/** What a client is told for which there is no VM. */
function statusOf(error: unknown): number {
  if (error instanceof TooManyForeignError) return StatusCode.RESOURCE_EXHAUSTED;
  return isHuskError(error, "ERR_CACHE_CLOSED") ? StatusCode.UNAVAILABLE : StatusCode.CANCELLED;
}

/** @throws GrpcError FAILED_PRECONDITION when the VMs are not what is asked for */
function checkRequest({ key, size }: VmRecipe, wanted: string, { metadata }: GrpcCall): void {
  if (wanted !== key) {
    const text = `the VMs are others: made of ${key}, and ${wanted.slice(0, 64)} was asked for`;
    throw new GrpcError(StatusCode.FAILED_PRECONDITION, text);
  }
  const least = readSize(metadata(CACHE_WORDS.least));
  const most = readSize(metadata(CACHE_WORDS.most));
  if (!least || !most) throw new GrpcError(StatusCode.INVALID_ARGUMENT, "the request says no size");
  if (isInRange(size, { least, most })) return;
  const text = `the VMs have ${sizeText(size)}, and from ${sizeText(least)} to ${sizeText(most)} was asked for`;
  throw new GrpcError(StatusCode.FAILED_PRECONDITION, text);
}

function sizeText({ vcpus, memory }: VmSize): string {
  return `${vcpus} vCPUs, ${memory} MiB`;
}

/** The names are Kata's; `Husk` is ours. */
function describeRecipe({ config, size, key }: VmRecipe): MessageInit<GrpcVMConfig> {
  const {
    hypervisorType = "qemu",
    hypervisorConfig = {},
    agentType = "hyperstart",
    agentConfig = {},
  } = config;
  const data = {
    HypervisorType: hypervisorType,
    AgentType: agentType,
    ProxyType: "noProxy",
    HypervisorConfig: {
      NumVCPUs: size.vcpus,
      MemorySize: size.memory,
      KernelPath: hypervisorConfig.kernelPath ?? "",
      InitrdPath: hypervisorConfig.initrdPath ?? "",
      ImagePath: hypervisorConfig.imagePath ?? "",
    },
    Husk: { key, config },
  };
  return { Data: toJson(data), AgentConfig: toJson(agentConfig) };
}

function describeVm(vm: StagedVm, { config, key }: VmRecipe): MessageInit<GrpcVM> {
  const { directory, uuid, size, tier, pid } = vm;
  const { vcpus, memory } = size;
  const port = createAgent(config).ports[0];
  const hypervisor = {
    ID: uuid,
    QmpChannelpath: directory.socket("qmp"),
    State: { Bridges: [], HotpluggedVCPUs: [], HotpluggedMemory: 0, UUID: uuid, HotplugVFIOOnRootBus: false },
    NvdimmCount: 0,
    QemuSMP: { CPUs: vcpus, Cores: 1, Threads: 1, Sockets: vcpus, MaxCPUs: vcpus },
    Husk: { directory: directory.path, key, tier, pid },
  };
  return {
    id: uuid,
    hypervisor: toJson(hypervisor),
    proxyPid: 0n,
    proxyURL: port ? `unix://${directory.socket(port.socket)}` : "",
    cpu: vcpus,
    memory,
    cpuDelta: 0,
  };
}

function toJson(value: object): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

function toGrpcStatus(status: VmCacheStatus): MessageInit<GrpcStatus> {
  const { pid, key, startedAt, vms, wanted, claimed, lost, cleared, failures, refused, fault = "" } = status;
  return {
    pid: BigInt(pid),
    vmstatus: vms.map((vm) => ({
      pid: BigInt(vm.pid),
      cpu: vm.vcpus,
      memory: vm.memory,
      tier: vm.tier,
      leased: vm.leased,
      foreign: vm.foreign,
      readyAt: BigInt(vm.readyAt.getTime()),
    })),
    husk: {
      key,
      startedAt: BigInt(startedAt.getTime()),
      ...wanted,
      claimed,
      lost,
      cleared,
      failures,
      fault,
      refused,
    },
  };
}

import { mkdirSync } from "node:fs";
import { withAbsolutePaths } from "../config/absolute-paths.ts";
import { checkFactoryConfig } from "../config/factory-schema.ts";
import { checkPodConfig } from "../config/schema.ts";
import { HuskError } from "../errors/index.ts";
import { CacheClient } from "../factory/cache-client.ts";
import { CacheEndpoint } from "../factory/cache-endpoint.ts";
import { cacheKey } from "../factory/cache-key.ts";
import { blankConfig } from "../factory/stage-vm.ts";
import { templateStore } from "../factory/template.ts";
import { cacheEndpoint, hasVmCache, LocalVmCache } from "../factory/vm-cache.ts";
import { deadlineFactor, deadlineMs } from "../hypervisor/deadlines.ts";
import { clearLeftovers } from "../store/claim.ts";
import { podsDirectory } from "../store/pod-directory.ts";
import { storeError } from "../store/staging.ts";
import type {
  CallOptions,
  FactoryConfig,
  PodConfig,
  VmCache,
  VmCacheOptions,
  VmCacheStatus,
} from "../types/index.ts";
import { Call } from "./call.ts";
import { baseSizeOf } from "./vm-size.ts";

/** Nobody's VM is at stake when the server is asked: the slowest one's deadlines will do. */
const SLOWEST = deadlineFactor("tcg");

/**
 * Begins to keep VMs ready in this process, for pods like one: of its configuration, what makes the VM counts (hypervisor,
 * agent, size). What a dead cache has left is cleared. Failures to make a VM are warnings, and told by `status()`.
 * This keeps Node from ending until it is closed. Ours alone; Kata: the factory `cache`.
 * @throws HuskError as `createPod` for what is wrong with the configuration; ERR_CONFIG_INVALID when it asks for no VMs,
 *   ERR_NOT_SUPPORTED for VMs that cannot wait, ERR_STORE
 */
export async function openVmCache(
  config: PodConfig,
  factory: FactoryConfig,
  options: VmCacheOptions = {},
): Promise<VmCache> {
  return openCache(config, factory, options);
}

/**
 * The same, and hands the VMs out to other processes at the configuration's socket. Ours alone; Kata: the VMCache server.
 * @throws HuskError as `openVmCache`; ERR_CACHE_IN_USE, ERR_STORE
 */
export async function serveVmCache(
  config: PodConfig,
  factory: FactoryConfig,
  options: VmCacheOptions = {},
): Promise<VmCache> {
  const cache = await openCache(config, factory, options);
  try {
    await cache.listen();
    return cache;
  } catch (error) {
    await cache.close();
    throw error;
  }
}

async function openCache(
  config: PodConfig,
  factory: FactoryConfig,
  options: VmCacheOptions,
): Promise<LocalVmCache> {
  const call = new Call(options, ["onWaiting"]);
  checkPodConfig(config);
  checkFactoryConfig(factory);
  if (!hasVmCache(factory)) {
    const text = "factory: how many VMs are to wait is not said (vmCacheNumber, vmCacheTiers)";
    throw new HuskError("ERR_CONFIG_INVALID", text);
  }
  const { root, cache } = call;
  const size = baseSizeOf(config);
  const blank = withAbsolutePaths(blankConfig(config, size));
  const key = await cacheKey(blank, { root, cache, factory });
  makePods(podsDirectory(root));
  const cleared = await clearLeftovers(root);
  const templates = factory.template ? templateStore(factory, root) : undefined;
  const recipe = { config: blank, size, key, root, cache, templates };
  return new LocalVmCache(recipe, factory, {
    cleared,
    keyNow: () => cacheKey(blank, { root, cache, factory }),
    onFault: call.warn,
    onWaiting: options.onWaiting,
  });
}

function makePods(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw storeError(`cannot keep VMs in ${path}`, error);
  }
}

/**
 * Asks the cache that other processes are served by what it has. Ours alone; Kata: `kata-runtime factory status`.
 * @throws HuskError ERR_CACHE_UNREACHABLE, ERR_TIMEOUT, ERR_ABORTED
 */
export async function statusVmCache(
  factory: FactoryConfig = {},
  options: CallOptions = {},
): Promise<VmCacheStatus> {
  checkFactoryConfig(factory);
  const { root, signal } = new Call(options);
  using client = await CacheClient.connect(cacheEndpoint(factory, root), signal);
  return await client.status({ timeoutMs: deadlineMs("agentCommand", SLOWEST), signal });
}

/**
 * Ends the cache that other processes are served by, with the VMs that nobody has taken, and waits until it is gone. Ours
 * alone; Kata: `kata-runtime factory destroy`.
 * @throws HuskError ERR_CACHE_UNREACHABLE, ERR_TIMEOUT, ERR_ABORTED
 */
export async function stopVmCache(factory: FactoryConfig = {}, options: CallOptions = {}): Promise<void> {
  checkFactoryConfig(factory);
  const { root, signal } = new Call(options);
  const endpoint = cacheEndpoint(factory, root);
  await quit(endpoint, signal);
  await CacheEndpoint.waitUntilFree(endpoint, { timeoutMs: deadlineMs("boot", SLOWEST), signal });
}

async function quit(endpoint: string, signal: AbortSignal | undefined): Promise<void> {
  using client = await CacheClient.connect(endpoint, signal);
  await client.quit({ timeoutMs: deadlineMs("agentCommand", SLOWEST), signal });
}

import { resolve } from "node:path";
import type { FactoryConfig, VmCacheTier } from "@husk/virtcontainers";
import { type Command, InvalidArgumentError, Option } from "commander";
import { UsageError } from "../usage-error.ts";
import { parsePositive } from "./numbers.ts";

/** VMs that a cache keeps when nobody says how many. */
const DEFAULT_NUMBER = 2;
const TIERS: readonly VmCacheTier[] = ["rehearsed", "paused", "prepared"];

/** Where a cache's server is asked. */
export interface EndpointOptions {
  /** path of its socket */
  endpoint?: string | undefined;
}

/** What a server is to keep ready. */
export interface ServeOptions extends EndpointOptions {
  /** VMs of the best tier */
  number?: number;
  /** VMs by tier */
  tiers?: Partial<Record<VmCacheTier, number>>;
  /** make them as copies of a template */
  template?: boolean;
}

/** Adds the option that names a cache's socket. */
export function addEndpointOption(command: Command): Command {
  return command.addOption(
    new Option("--endpoint <PATH>", "socket of the cache's server (default: cache.sock in HUSK_ROOT)").env(
      "HUSK_CACHE_ENDPOINT",
    ),
  );
}

/** Adds the options that say what a server is to keep ready. */
export function addServeOptions(command: Command): Command {
  return addEndpointOption(
    command
      .option("--number <N>", `VMs to keep ready (default: ${DEFAULT_NUMBER})`, parsePositive)
      .option("--tiers <TIER=N,…>", "how many of which: rehearsed=2,paused=1,prepared=4", parseTiers)
      .option("--template", "make them as copies of a template, which is quicker and takes less memory"),
  );
}

/** Reads `rehearsed=2,prepared=4`. */
export function parseTiers(text: string): Partial<Record<VmCacheTier, number>> {
  const tiers: Partial<Record<VmCacheTier, number>> = {};
  for (const part of text.split(",")) {
    const [name, number = "", more] = part.split("=");
    const tier = TIERS.find((known) => known === name);
    if (!tier || more !== undefined || tier in tiers)
      throw new InvalidArgumentError(`Expected tiers with numbers, each once: ${TIERS.join("=N,")}=N.`);
    tiers[tier] = parsePositive(number);
  }
  return tiers;
}

/** What a server keeps ready, for the library. @throws UsageError */
export function makeServedFactory({ number, tiers, template, ...options }: ServeOptions): FactoryConfig {
  if (number !== undefined && tiers)
    throw new UsageError(
      "--number and --tiers exclude each other",
      "--tiers says how many there are of each tier",
    );
  if (tiers?.prepared && !template)
    throw new UsageError("prepared VMs wait to load a template, and there is none", "add --template");
  return {
    ...(tiers ? { vmCacheTiers: tiers } : { vmCacheNumber: number ?? DEFAULT_NUMBER }),
    ...(template ? { template } : {}),
    ...makeEndpoint(options),
  };
}

/** Where the server is, for the library. */
export function makeEndpoint({ endpoint }: EndpointOptions): Pick<FactoryConfig, "vmCacheEndpoint"> {
  return endpoint === undefined ? {} : { vmCacheEndpoint: resolve(endpoint) };
}

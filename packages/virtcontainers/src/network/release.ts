import type { PodRecord } from "../store/pod-record.ts";
import { networkOf } from "./index.ts";
import { disconnectEndpoint, goesWithNamespace } from "./interworking/index.ts";
import { removeNamespace } from "./namespace.ts";
import { type SiteOptions, siteOf } from "./site.ts";

/**
 * Undoes all that a pod has of networks, in reverse order, by its record alone: also what a caller left who was killed. The
 * VM has ended, or is about to. What has gone already is no error; what cannot be undone keeps nothing else from it.
 * @throws HuskError of the first that could not be undone; the record then still tells of it, for another try
 */
export async function releaseNetwork(record: PodRecord, options: SiteOptions): Promise<void> {
  const { network } = record;
  if (!network) return;
  // What cleans up is not to be cut short.
  const site = siteOf(record, network, { ...options, signal: undefined });
  const failures: unknown[] = [];
  const attempt = async (step: () => Promise<void>) => {
    await step().catch((error: unknown) => failures.push(error));
  };
  for (const joined of [...network.endpoints].reverse()) {
    // A namespace that goes takes its links with it.
    if (network.created && goesWithNamespace(joined)) continue;
    await attempt(() => disconnectEndpoint(joined, site));
  }
  const before = failures.length;
  await attempt(() => networkOf(record.config.networkModel).detach(site));
  // Who could not leave a network needs the namespace for another try: the bridge plugin finds its rules by what is in it.
  const hasLeft = failures.length === before;
  if (network.created && hasLeft) await attempt(() => removeNamespace(site));
  const [failure] = failures;
  if (failure !== undefined) throw failure;
  delete record.network;
  options.save();
}

/**
 * Takes a pod from its networks, and leaves its namespace as whatever came before them has: they can be joined anew. The VM has ended.
 * @throws HuskError of the first step that failed; `releaseNetwork` then undoes what is left
 */
export async function leaveNetworks(record: PodRecord, options: SiteOptions): Promise<void> {
  const { network } = record;
  if (!network) return;
  const site = siteOf(record, network, { ...options, signal: undefined });
  for (const joined of [...network.endpoints].reverse()) await disconnectEndpoint(joined, site);
  await networkOf(record.config.networkModel).detach(site);
  const { netNSPath, created } = network;
  record.network = {
    endpoints: [],
    ...(netNSPath === undefined ? {} : { netNSPath }),
    ...(created === undefined ? {} : { created }),
  };
  options.save();
}

import { HuskError } from "../../errors/index.ts";
import { readLinks } from "../links.ts";
import { placeOf } from "../place.ts";
import type { NetworkRecord, NetworkSite } from "../types.ts";

/**
 * The names of all links in the pod's namespace.
 * @throws HuskError ERR_NETWORK_LINK, ERR_NETWORK_NAMESPACE, ERR_NOT_SUPPORTED, ERR_ABORTED
 */
export async function listLinkNames(site: NetworkSite): Promise<string[]> {
  return (await readLinks(placeOf(site))).map(({ name }) => name);
}

/** @throws HuskError ERR_NETWORK_CLASH when a link of one of these names is there already */
export function checkNotTaken(names: readonly string[], taken: readonly string[]): void {
  const name = names.find((wanted) => taken.includes(wanted));
  if (name === undefined) return;
  const text = `the network namespace has an interface ${name} already, which a CNI network was to become`;
  throw new HuskError("ERR_NETWORK_CLASH", text);
}

/** The first name `ethN` that neither a link nor a record has. */
export function nextName({ attachments = [], endpoints }: NetworkRecord, taken: readonly string[]): string {
  const names = new Set([
    ...taken,
    ...attachments.map(({ ifName }) => ifName),
    ...endpoints.map(({ endpoint }) => endpoint.name),
  ]);
  let index = 0;
  while (names.has(`eth${index}`)) index++;
  return `eth${index}`;
}

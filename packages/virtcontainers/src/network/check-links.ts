import { existsSync } from "node:fs";
import { HuskError } from "../errors/index.ts";
import { findMissing } from "./interworking/own-links.ts";
import { readIngress } from "./interworking/redirect.ts";
import { vanished } from "./iproute.ts";
import { type Link, readLinks } from "./links.ts";
import type { NamespacePlace } from "./namespace-command.ts";
import { placeOf } from "./place.ts";
import type { EndpointRecord, NetworkSite } from "./types.ts";

/**
 * Checks that what is behind a pod's interfaces is still there as it was set up.
 * @throws HuskError ERR_NETWORK_LINK, ERR_NETWORK_NAMESPACE, ERR_NOT_SUPPORTED, ERR_ABORTED
 */
export async function checkLinks(site: NetworkSite): Promise<void> {
  const place = placeOf(site);
  const links = await readLinks(place);
  for (const joined of site.record.endpoints) await checkLink(joined, links, place);
}

async function checkLink(
  { endpoint, model }: EndpointRecord,
  links: readonly Link[],
  place: NamespacePlace,
): Promise<void> {
  const { kind, index, name, socketPath } = endpoint;
  const broken = (why: string) =>
    new HuskError("ERR_NETWORK_LINK", `${name} of ${place.netNSPath} ${why}`, {
      hint: "See who else changes that namespace; the pod gets it anew when it is stopped and started.",
    });
  if (socketPath !== undefined && !existsSync(socketPath)) throw broken(`has lost its socket ${socketPath}`);
  if (kind === "user" || kind === "vhost-user" || kind === "physical") return;
  const link = links.find((one) => one.index === index);
  if (!link) throw vanished(place, name);
  if (!link.isUp) throw broken("is down");
  const missing = findMissing(links, link, model);
  if (missing) throw broken(`is not joined to the VM any more: ${missing}`);
  if (model === "tcFilter" && (await readIngress(place, link.name)) !== "ours") {
    throw broken("is not joined to the VM any more: its filter has gone");
  }
}

import type { DnsConfig, OciMount } from "@husk/virtcontainers";
import { readResolvConf } from "@husk/virtcontainers/internals";

const RESOLV_CONF = "/etc/resolv.conf";

/** Mounts without the one that tells a container its name servers, and what that says. */
interface NameServers {
  readonly mounts: OciMount[];
  readonly dns?: DnsConfig;
}

/**
 * Takes a read-only bind over `/etc/resolv.conf` out of a container's mounts: the pod gets such a file of its own, so that nothing
 * need be shared for it, which would cost a daemon and keep the VM from being a copy of another. What is changed in the host's
 * file later does not arrive.
 */
export function takeNameServers(mounts: readonly OciMount[]): NameServers {
  const found = mounts.find(isReadOnlyBind);
  const dns = found?.source === undefined ? undefined : readResolvConf(found.source);
  if (!dns || dns.servers.length === 0) return { mounts: [...mounts] };
  const { servers, search, options } = dns;
  return {
    mounts: mounts.filter((mount) => mount !== found),
    dns: { servers: [...servers], search: [...search], options: [...options] },
  };
}

function isReadOnlyBind({ destination, type, options = [] }: OciMount): boolean {
  const isBind = type === "bind" || options.includes("bind") || options.includes("rbind");
  return isBind && destination === RESOLV_CONF && options.includes("ro");
}

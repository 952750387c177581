import type { CreateSandboxRequest, KernelModule, Storage } from "@husk/wire/kata";
import type { MessageInit } from "@husk/wire/protobuf";
import type { Share } from "../../hypervisor/types.ts";
import type { Dns } from "../../network/types.ts";
import type { KataAgentConfig } from "../../types/index.ts";
import type { PodStart } from "../types.ts";
import { FILES_DIRECTORY, SHARED_DIRECTORY, SHM_DIRECTORY, volumePath } from "./guest-paths.ts";

/** Longest name of a host in the kernel. */
const MAX_HOSTNAME = 64;
/** Bytes of the memory that containers share. */
const SHM_BYTES = 64 * 1024 * 1024;
/** How a 9p share is mounted: what the host changes is seen, what is mapped is kept. */
const NINEP_OPTIONS = ["trans=virtio", "version=9p2000.L", "cache=mmap", "nodev", "msize=131072"];

/** The request that sets a pod up: its name, its name servers, what is mounted for all of its containers. */
export function sandboxRequest(pod: PodStart, config: KataAgentConfig): MessageInit<CreateSandboxRequest> {
  return {
    hostname: pod.hostname.slice(0, MAX_HOSTNAME),
    dns: pod.dns ? resolvConf(pod.dns) : [],
    storages: [...pod.shares.map((share) => shareStorage(share, pod.shareDir)), shmStorage()],
    sandboxPidns: true,
    sandboxId: pod.podId,
    kernelModules: (config.kernelModules ?? []).map(moduleMessage),
  };
}

function shareStorage({ tag, kind }: Share, ownTag: string | undefined): MessageInit<Storage> {
  const mountPoint = tag === ownTag ? SHARED_DIRECTORY : volumePath(tag);
  return kind === "virtiofs"
    ? { driver: "virtio-fs", source: tag, fstype: "virtiofs", options: ["nodev"], mountPoint }
    : { driver: "9p", source: tag, fstype: "9p", options: NINEP_OPTIONS, mountPoint };
}

function shmStorage(): MessageInit<Storage> {
  const options = ["noexec", "nosuid", "nodev", "mode=1777", `size=${SHM_BYTES}`];
  return { driver: "ephemeral", source: "shm", fstype: "tmpfs", options, mountPoint: SHM_DIRECTORY };
}

function moduleMessage(words: string): MessageInit<KernelModule> {
  const [name = "", ...parameters] = words.split(/\s+/).filter((word) => word !== "");
  return { name, parameters };
}

/** The lines of a resolv.conf. Without servers there is nothing for the rest to be about. */
function resolvConf({ servers, search, options }: Dns): string[] {
  if (servers.length === 0) return [];
  return [
    ...servers.map((server) => `nameserver ${server}`),
    ...(search.length > 0 ? [`search ${search.join(" ")}`] : []),
    ...(options.length > 0 ? [`options ${options.join(" ")}`] : []),
  ];
}

/** Where a pod's name leads that has no address: to itself, but not as localhost. */
const NO_ADDRESS = "127.0.1.1";

/** The files in /etc that containers get. */
export function podFiles({ hostname, dns, addresses }: PodStart): { path: string; text: string }[] {
  const own = addresses.length > 0 ? addresses : [NO_ADDRESS];
  const hosts = ["127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost ip6-loopback"];
  const files = {
    hosts: [...hosts, ...own.map((address) => `${address}\t${hostname}`)],
    hostname: [hostname],
    "resolv.conf": dns ? resolvConf(dns) : [],
  };
  return Object.entries(files)
    .filter(([, lines]) => lines.length > 0)
    .map(([name, lines]) => ({ path: `${FILES_DIRECTORY}/${name}`, text: `${lines.join("\n")}\n` }));
}

/** Whether containers of a pod get a resolv.conf. */
export function hasNameServers(dns: Dns | undefined): boolean {
  return dns !== undefined && dns.servers.length > 0;
}

import type { ContainerRequest, Fsmap, PodRequest, ProcessRequest, Renewal } from "@husk/wire/hyperstart";
import type { Dns } from "../../network/types.ts";
import type { Cmd, ContainerConfig } from "../../types/index.ts";
import {
  type ContainerRoot,
  type ContainerStart,
  INIT_PROCESS,
  type PodStart,
  type SharedPath,
} from "../types.ts";

/** The streams of a process, by their sequence numbers. */
export interface StreamSeqs {
  readonly stdio: number;
  /** 0: none, the process has a terminal */
  readonly stderr: number;
}

/** A command as the agent's protocol has it. */
export function processRequest(id: string, cmd: Cmd, seqs: StreamSeqs): ProcessRequest {
  return {
    id,
    ...(cmd.user ? { user: cmd.user } : {}),
    ...(cmd.primaryGroup ? { group: cmd.primaryGroup } : {}),
    additionalGroups: cmd.supplementaryGroups ?? [],
    terminal: cmd.interactive === true,
    stdio: seqs.stdio,
    stderr: seqs.stderr,
    args: cmd.args,
    envs: (cmd.envs ?? []).map(({ var: env, value }) => ({ env, value })),
    workdir: cmd.workDir ?? "/",
    ...(cmd.noNewPrivileges ? { noNewPrivileges: true } : {}),
    ...capabilitiesOf(cmd),
  };
}

/** When one set is given, those that are not are empty; when none is, the process has what its user has. */
function capabilitiesOf({ capabilities = {} }: Cmd): Pick<ProcessRequest, "capabilities"> {
  if (Object.keys(capabilities).length === 0) return {};
  const nothing = { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] };
  return { capabilities: { ...nothing, ...capabilities } };
}

/** The payload of STARTPOD. */
export function podRequest({
  hostname,
  shareDir,
  dns,
  portmappingWhiteLists,
}: Pick<PodStart, "hostname" | "shareDir" | "dns" | "portmappingWhiteLists">): PodRequest {
  return {
    hostname,
    ...(shareDir === undefined ? {} : { shareDir }),
    ...(dns ? dnsOf(dns) : {}),
    ...(portmappingWhiteLists ? { portmappingWhiteLists } : {}),
  };
}

/** Without servers there is nothing for the rest to be about. */
function dnsOf({ servers, search, options }: Dns): Pick<PodRequest, "dns" | "dnsSearch" | "dnsOptions"> {
  if (servers.length === 0) return {};
  return { dns: [...servers], dnsSearch: [...search], dnsOptions: [...options] };
}

/**
 * The payload of NEWCONTAINER. What only our own agent knows (`tag`, `mounts`, `devices`) is left out when it is not
 * needed.
 */
export function containerRequest({ config, storage }: ContainerStart, seqs: StreamSeqs): ContainerRequest {
  const { root, shared, mounts, devices } = storage;
  return {
    id: config.id,
    rootfs: "",
    ...("drive" in root ? diskOf(root) : { image: root.share }),
    process: processRequest(INIT_PROCESS, config.cmd, seqs),
    initialize: true,
    readOnly: config.readonlyRootfs === true,
    ...(shared.length > 0 ? { fsmap: shared.map(fsmapOf) } : {}),
    ...(mounts.length > 0
      ? { mounts: mounts.map((mount) => ({ ...mount, options: [...mount.options] })) }
      : {}),
    ...(devices.length > 0 ? { devices: [...devices] } : {}),
    ...portsOf(config),
  };
}

/** An empty list is left out, as other agents would refuse it. */
function portsOf({ ports = [] }: ContainerConfig): Pick<ContainerRequest, "ports"> {
  return ports.length === 0 ? {} : { ports: ports.map((port) => ({ protocol: "tcp", ...port })) };
}

function diskOf({ drive, addr, fstype }: Extract<ContainerRoot, { drive: string }>) {
  return { image: drive, ...(addr === undefined ? {} : { addr }), fstype };
}

function fsmapOf({ source, tag, destination, readOnly }: SharedPath): Fsmap {
  return { source, path: destination, readOnly, dockerVolume: false, ...(tag === undefined ? {} : { tag }) };
}

/** What a VM that began as a copy is told: the time, and random bytes of its own. */
export function renewalRequest(random: Uint8Array): Renewal {
  const now = Date.now();
  const seconds = Math.floor(now / 1000);
  return {
    seconds,
    nanoseconds: (now - seconds * 1000) * 1_000_000,
    random: Buffer.from(random).toString("hex"),
  };
}

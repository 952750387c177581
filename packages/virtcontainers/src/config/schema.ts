import { HuskError } from "../errors/index.ts";
import { POD_SHARE_TAG } from "../storage/shares.ts";
import type { Cmd, ContainerConfig, PodConfig, ProcessListOptions } from "../types/index.ts";
import {
  AgentType,
  HypervisorType,
  NetworkModel,
  ProcessListFormat,
  ProxyType,
  ShimType,
} from "../types/kinds.ts";
import { agentConfig, checkAgentConfig } from "./agent-schema.ts";
import { checkId } from "./ids.ts";
import { containerPort, networkConfig } from "./network-schema.ts";
import { checkBesideSpec, checkSpecsSupported, ociSpec } from "./oci-schema.ts";
import { checkResidents, proxyConfig, shimConfig } from "./resident-programs.ts";
import { checkLimitsSupported, linuxResources, vmResources } from "./resources-schema.ts";
import { flag, integer, kind, list, object, output, path, type Rule, record, text } from "./rules.ts";

const param = object({ key: text({ empty: false, max: 1024 }), value: text({ max: 2048 }) }, ["key"]);

const hypervisorConfig = object({
  kernelPath: path,
  imagePath: path,
  firmwarePath: path,
  machineAccelerators: text({ max: 1024 }),
  hypervisorPath: path,
  tapHelperPath: path,
  initrdPath: path,
  disableBlockDeviceUse: flag,
  blockDeviceDriver: kind(["virtio-blk", "virtio-scsi"], ["virtio-blk", "virtio-scsi"]),
  sharedFS: kind(["virtiofs", "9p"], ["virtiofs", "9p"]),
  kernelParams: list(param),
  hypervisorParams: list(param),
  hypervisorMachineType: kind(["q35", "microvm", "pc"]),
  debug: flag,
  defaultVCPUs: integer(1, 240),
  defaultMaxVCPUs: integer(1, 240),
  memSlots: integer(0, 256),
  defaultMemSz: integer(1, 1_048_576),
  defaultBridges: integer(0, 16),
  memPrealloc: flag,
  hugePages: flag,
  realtime: flag,
  mlock: flag,
  disableNestingChecks: flag,
});

const hook = object(
  { path: absolutePath, args: list(text()), env: list(variable), timeout: integer(0, 86_400) },
  ["path"],
);
const hooks = object({ preStartHooks: list(hook), postStartHooks: list(hook), postStopHooks: list(hook) });

function absolutePath(value: unknown, at: string): void {
  path(value, at);
  if (!(value as string).startsWith("/"))
    throw new HuskError("ERR_CONFIG_INVALID", `${at}: must be absolute`);
}

/** An empty one asks for nothing. */
function consolePath(value: unknown, at: string): void {
  if (value !== "") absolutePath(value, at);
}

/** `NAME=value`, as a hook's environment has it. */
function variable(value: unknown, at: string): void {
  text()(value, at);
  if (/^[^=]+=/.test(value as string)) return;
  throw new HuskError("ERR_CONFIG_INVALID", `${at}: must be NAME=value`);
}

const names = list(text({ empty: false, max: 256 }));
const cmd = object(
  {
    args: list(text(), { empty: false }),
    envs: list(object({ var: environmentName, value: text() }, ["var", "value"])),
    workDir: path,
    user: text({ max: 256 }),
    primaryGroup: text({ max: 256 }),
    supplementaryGroups: names,
    interactive: flag,
    console: consolePath,
    detach: flag,
    openStdin: flag,
    noNewPrivileges: flag,
    capabilities: object({
      bounding: names,
      effective: names,
      inheritable: names,
      permitted: names,
      ambient: names,
    }),
  },
  ["args"],
);

function environmentName(value: unknown, at: string): void {
  text({ empty: false, max: 4096 })(value, at);
  if ((value as string).includes("=")) throw new HuskError("ERR_CONFIG_INVALID", `${at}: must not hold "="`);
}

/** Longest mount tag of 9p; virtiofs allows 36. */
const MAX_TAG = 31;
/** Highest user or group number: the one above means "none". */
const MAX_ID = 0xffff_fffe;

function mountTag(value: unknown, at: string): void {
  text({ empty: false, max: MAX_TAG })(value, at);
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(value as string) && value !== POD_SHARE_TAG) return;
  const problem = `must be letters, digits, "_", "." and "-", and not "${POD_SHARE_TAG}"`;
  throw new HuskError("ERR_CONFIG_INVALID", `${at}: ${problem}`);
}

const annotations = record(text());

const mount = object(
  {
    source: text(),
    destination: text(),
    type: text(),
    options: list(text()),
    hostPath: output(text()),
    readOnly: flag,
  },
  ["source", "destination"],
);
const volume = object({ mountTag, hostPath: path }, ["mountTag", "hostPath"]);
const device = object({
  hostPath: path,
  containerPath: path,
  devType: kind(["c", "u", "b", "p"], ["c", "u", "b", "p"]),
  major: integer(0, 4095),
  minor: integer(0, 1_048_575),
  fileMode: integer(0, 0o7777),
  uid: integer(0, MAX_ID),
  gid: integer(0, MAX_ID),
  hotplugged: output(flag),
  id: output(text()),
});

const containerFields = object(
  {
    id: (value) => checkId("container", value),
    rootFs: path,
    readonlyRootfs: flag,
    cmd,
    annotations,
    sharedRootfs: flag,
    mounts: list(mount),
    deviceInfos: list(device),
    resources: linuxResources,
    ociSpec,
    podFiles: list(kind(["hosts", "hostname", "resolv.conf"])),
    ports: list(containerPort),
  },
  ["id", "rootFs", "cmd"],
);

/** `hyperstart` is the agent's own name for itself. */
const container: Rule = (value, at) => {
  containerFields(value, at);
  checkBesideSpec(value as ContainerConfig, at ? `${at}.` : "");
  if ((value as ContainerConfig).id === "hyperstart") {
    throw new HuskError("ERR_ID_INVALID", `"hyperstart" is reserved and cannot be a container id`);
  }
};

const pod = object(
  {
    id: (value) => checkId("pod", value),
    hostname: text({ max: 64 }),
    hooks,
    vmConfig: vmResources,
    hypervisorType: kind(Object.values(HypervisorType)),
    hypervisorConfig,
    agentType: kind(Object.values(AgentType)),
    agentConfig,
    proxyType: kind(Object.values(ProxyType)),
    proxyConfig,
    shimType: kind(Object.values(ShimType)),
    shimConfig,
    networkModel: kind(Object.values(NetworkModel)),
    networkConfig,
    volumes: list(volume),
    containers: list(container),
    annotations,
  },
  ["id"],
);

/**
 * Checks the configuration of a pod.
 * @throws HuskError ERR_CONFIG_INVALID, ERR_CONFIG_UNKNOWN_FIELD, ERR_NOT_SUPPORTED, ERR_ID_INVALID, ERR_CONTAINER_EXISTS
 */
export function checkPodConfig(config: unknown): asserts config is PodConfig {
  pod(config, "");
  const seen = new Set<string>();
  for (const { id } of (config as PodConfig).containers ?? []) {
    if (seen.has(id)) {
      throw new HuskError("ERR_CONTAINER_EXISTS", `the pod has two containers with the id "${id}"`, {
        containerId: id,
      });
    }
    seen.add(id);
  }
  checkAgentConfig(config as PodConfig);
  checkResidents(config as PodConfig);
  checkLimitsSupported(config as PodConfig);
  checkSpecsSupported(config as PodConfig, (config as PodConfig).containers ?? []);
  const tags = ((config as PodConfig).volumes ?? []).map(({ mountTag: tag }) => tag);
  const twice = tags.find((tag, index) => tags.indexOf(tag) !== index);
  if (twice !== undefined)
    throw new HuskError("ERR_CONFIG_INVALID", `volumes: two have the mountTag "${twice}"`);
}

/** Checks the configuration of a container; throws as `checkPodConfig`. */
export function checkContainerConfig(config: unknown): asserts config is ContainerConfig {
  container(config, "");
}

/** Checks a command; throws as `checkPodConfig`. */
export function checkCmd(value: unknown): asserts value is Cmd {
  cmd(value, "");
}

const processList = object({ format: kind(Object.values(ProcessListFormat)), args: list(text()) }, [
  "format",
]);

/** Checks what is to be listed; throws as `checkPodConfig`. */
export function checkProcessListOptions(value: unknown): asserts value is ProcessListOptions {
  processList(value, "");
}

const logReading = object({
  follow: flag,
  since: (value, at) => {
    if (!(value instanceof Date) || Number.isNaN(value.getTime()))
      throw new HuskError("ERR_CONFIG_INVALID", `${at}: must be a valid Date`);
  },
  tail: integer(0, Number.MAX_SAFE_INTEGER),
  streams: list(kind(["stdout", "stderr", "shim"])),
});

/** Checks what is to be read of a log, and how; throws as `checkPodConfig`. */
export function checkLogReading(value: unknown): void {
  logReading(value, "");
}

import type {
  Cmd,
  ContainerConfig,
  OciCapabilities,
  OciDeviceRule,
  OciMount,
  OciProcess,
  OciSpec,
  PodFile,
} from "../../types/index.ts";
import { FILES_DIRECTORY, SHM_DIRECTORY } from "./guest-paths.ts";

/** Version of the specification that is made. */
const OCI_VERSION = "1.1.0";

/** Where programs are looked for when a command has no PATH of its own. */
const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** What containers of containerd and Docker may do, unless they are told otherwise. */
export const CAPABILITIES = [
  ...["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID"],
  ...["CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL"],
  "CAP_AUDIT_WRITE",
];

/** What of the kernel's own a container cannot see, and what it cannot change: as containerd has it. */
export const MASKED_PATHS = [
  ...["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list"],
  ...["/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware"],
  "/sys/devices/virtual/powercap",
];
export const READONLY_PATHS = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/** Numbers of the devices that every container has; the last is for all terminals. */
const DEVICES: readonly (readonly [major: number, minor?: number])[] = [
  [1, 3],
  [1, 5],
  [1, 7],
  [1, 8],
  [1, 9],
  [5, 0],
  [5, 1],
  [5, 2],
  [136],
];

const QUIET = ["nosuid", "noexec", "nodev"];

const SYSTEM_MOUNTS: readonly OciMount[] = [
  { destination: "/proc", type: "proc", source: "proc", options: QUIET },
  {
    destination: "/dev",
    type: "tmpfs",
    source: "tmpfs",
    options: ["nosuid", "noexec", "strictatime", "mode=755", "size=65536k"],
  },
  {
    destination: "/dev/pts",
    type: "devpts",
    source: "devpts",
    options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
  },
  { destination: "/dev/shm", type: "bind", source: SHM_DIRECTORY, options: ["rbind"] },
  { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: QUIET },
  { destination: "/sys", type: "sysfs", source: "sysfs", options: [...QUIET, "ro"] },
  { destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: [...QUIET, "relatime", "ro"] },
];

/**
 * What a container is to be, of its configuration alone: its root, what is mounted and its devices come with its storage.
 * @param hasDns whether the pod has name servers
 */
export function defaultSpec(config: ContainerConfig, hasDns: boolean): OciSpec {
  return {
    ociVersion: OCI_VERSION,
    process: processOf(config.cmd),
    root: { readonly: config.readonlyRootfs === true },
    mounts: [...SYSTEM_MOUNTS, ...fileMounts(["hosts", "hostname", "resolv.conf"], hasDns, ["bind"])],
    annotations: { ...config.annotations },
    linux: {
      resources: { ...config.resources, devices: deviceRules() },
      namespaces: [{ type: "mount" }, { type: "ipc" }, { type: "uts" }],
      maskedPaths: MASKED_PATHS,
      readonlyPaths: READONLY_PATHS,
    },
  };
}

/** A command as a process of the specification; its user is root, unless it is given by numbers. */
export function processOf(cmd: Cmd): OciProcess {
  const { args, envs = [], interactive = false, workDir = "/", noNewPrivileges = false } = cmd;
  return {
    args,
    env: [
      `PATH=${DEFAULT_PATH}`,
      ...(interactive ? ["TERM=xterm"] : []),
      ...envs.map(({ var: name, value }) => `${name}=${value}`),
    ].filter(isLast),
    cwd: workDir,
    terminal: interactive,
    user: { uid: 0, gid: 0 },
    noNewPrivileges,
    capabilities: capabilitiesOf(cmd),
  };
}

/** Of variables of one name, the last wins. */
function isLast(variable: string, index: number, all: readonly string[]): boolean {
  const prefix = variable.slice(0, variable.indexOf("=") + 1);
  return all.findLastIndex((other) => other.startsWith(prefix)) === index;
}

/** When one set is given, those that are not are empty. */
function capabilitiesOf({ capabilities = {} }: Cmd): OciCapabilities {
  if (Object.keys(capabilities).length > 0) return capabilities;
  return { bounding: CAPABILITIES, effective: CAPABILITIES, permitted: CAPABILITIES };
}

/** The mounts of files of the pod. */
export function fileMounts(names: readonly PodFile[], hasDns: boolean, options: string[]): OciMount[] {
  return names
    .filter((name) => hasDns || name !== "resolv.conf")
    .map((name) => ({
      destination: `/etc/${name}`,
      type: "bind",
      source: `${FILES_DIRECTORY}/${name}`,
      options,
    }));
}

/** Nothing but what every container has, and making nodes, which alone opens none. */
function deviceRules(): OciDeviceRule[] {
  return [
    { allow: false, type: "a", access: "rwm" },
    { allow: true, type: "c", access: "m" },
    { allow: true, type: "b", access: "m" },
    ...DEVICES.map(([major, minor]) => ({
      ...{ allow: true, type: "c" as const, major, access: "rwm" },
      ...(minor === undefined ? {} : { minor }),
    })),
  ];
}

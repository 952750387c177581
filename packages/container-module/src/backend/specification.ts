import { existsSync, readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import type { OciMount, OciNamespace, OciResources, OciSpec } from "@husk/virtcontainers";
import { CAPABILITIES, MASKED_PATHS, READONLY_PATHS } from "@husk/virtcontainers/internals";
import type { CompleteRecord } from "../state/record.ts";
import type { MountInfo } from "../types.ts";
import { containerCgroup } from "./cgroup.ts";

const OCI_VERSION = "1.0.2";
/** Open files that a container may have, as programs expect it that use select(2). */
const OPEN_FILES = 1024;
/** Microseconds in which a share of processors is used up. */
const CPU_PERIOD = 100_000;
/** Most characters of a host name. */
const MAX_HOSTNAME = 63;
/** What tells a container its name servers. */
export const RESOLV_CONF = "/etc/resolv.conf";

const QUIET = ["nosuid", "noexec", "nodev"];

/** What every container has: no tmpfs on /run, which would hide what the root file system has there. */
const SYSTEM_MOUNTS: readonly OciMount[] = [
  { destination: "/proc", type: "proc", source: "proc", options: QUIET },
  {
    destination: "/dev",
    type: "tmpfs",
    source: "tmpfs",
    options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
  },
  {
    destination: "/dev/pts",
    type: "devpts",
    source: "devpts",
    options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
  },
  {
    destination: "/dev/shm",
    type: "tmpfs",
    source: "shm",
    options: [...QUIET, "mode=1777", "size=65536k"],
  },
  { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: QUIET },
  { destination: "/sys", type: "sysfs", source: "sysfs", options: [...QUIET, "ro"] },
];

/**
 * Describes a container in the words of the OCI runtime specification: root without the dangerous capabilities, in
 * namespaces of its own but for the network, which is the given one.
 * @param root its root file system
 */
export function specifyContainer(record: CompleteRecord, root: { path: string; readonly: boolean }): OciSpec {
  const { command } = record;
  return {
    ociVersion: OCI_VERSION,
    process: {
      user: { uid: 0, gid: 0 },
      args: [...command.args],
      env: [...command.env],
      cwd: command.cwd,
      capabilities: { bounding: CAPABILITIES, effective: CAPABILITIES, permitted: CAPABILITIES },
      rlimits: [{ type: "RLIMIT_NOFILE", soft: OPEN_FILES, hard: Math.max(OPEN_FILES, ownOpenFiles()) }],
      noNewPrivileges: true,
    },
    root,
    hostname: hostnameOf(record.name),
    mounts: [...SYSTEM_MOUNTS, ...resolvConf(record), ...record.mounts.map(specifyMount)],
    linux: {
      cgroupsPath: `/${containerCgroup(record)}`,
      namespaces: namespacesOf(record),
      resources: resourcesOf(record),
      maskedPaths: MASKED_PATHS,
      readonlyPaths: READONLY_PATHS,
    },
  };
}

function namespacesOf({ networkPath }: CompleteRecord): OciNamespace[] {
  return [
    { type: "pid" },
    { type: "ipc" },
    { type: "uts" },
    { type: "mount" },
    { type: "cgroup" },
    { type: "network", ...(networkPath === undefined ? {} : { path: networkPath }) },
  ];
}

function resourcesOf({ memory, cpus }: CompleteRecord): OciResources {
  return {
    devices: [{ allow: false, access: "rwm" }],
    ...(memory === undefined ? {} : { memory: { limit: memory } }),
    ...(cpus === undefined ? {} : { cpu: { quota: Math.round(cpus * CPU_PERIOD), period: CPU_PERIOD } }),
  };
}

function specifyMount({ source, target, type = "bind", options = [] }: MountInfo): OciMount {
  return {
    destination: target,
    source,
    type,
    options: type === "bind" && !saysBind(options) ? ["rbind", ...options] : [...options],
  };
}

/** Whether a mount shows what is at a path of the host: by its type or, as runtimes have it, by its options. */
export function isBind({ type = "bind", options = [] }: MountInfo): boolean {
  return type === "bind" || saysBind(options);
}

function saysBind(options: readonly string[]): boolean {
  return options.some((option) => option === "bind" || option === "rbind");
}

/** Name servers of the network namespace, as `ip netns` has them, else those of the machine; unless a mount is there. */
function resolvConf({ networkPath, mounts }: CompleteRecord): OciMount[] {
  if (mounts.some(({ target }) => target === RESOLV_CONF)) return [];
  const own =
    networkPath && dirname(networkPath) === "/run/netns" && `/etc/netns/${basename(networkPath)}/resolv.conf`;
  const source = [own, RESOLV_CONF].find((path) => path && existsSync(path));
  return source
    ? [
        {
          destination: RESOLV_CONF,
          type: "bind",
          source,
          options: ["bind", "ro", "nosuid", "nodev", "noexec"],
        },
      ]
    : [];
}

/** How far a container may raise its limit of open files: as far as we may, since not every root may go beyond. */
function ownOpenFiles(): number {
  const [, hard = "0"] = /^Max open files +\d+ +(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
  return Number(hard);
}

/** A name may be longer than a host's. */
function hostnameOf(name: string): string {
  return name.slice(0, MAX_HOSTNAME).replace(/[^A-Za-z0-9]+$/, "");
}

/** Good requests, by method: what is sent with one place of it changed. All is of a container "c" below /run/fuzz. */

import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import { insidePath } from "./inside.ts";
import type { KataSession } from "./kata-session.ts";

const ROOT = "/run/fuzz/rootfs";
const BUSYBOX = "/bin/busybox";

/** The container that there is at the start of a batch, and what is asked of it. */
export const CONTAINER = "c";

const process = (args: string[]) => ({
  Args: args,
  Env: ["PATH=/bin", "A=b"],
  Cwd: "/",
  User: { UID: 0, GID: 0, AdditionalGids: [1] },
  Capabilities: { Bounding: ["CAP_KILL"], Effective: ["CAP_KILL"], Permitted: ["CAP_KILL"] },
  Rlimits: [{ Type: "RLIMIT_CORE", Hard: 0n, Soft: 0n }],
  NoNewPrivileges: true,
  OOMScoreAdj: 100n,
});

const resources = {
  Devices: [{ Allow: false, Access: "rwm" }],
  Memory: { Limit: 1n << 26n },
  CPU: { Shares: 512n, Quota: 100_000n, Period: 100_000n },
  Pids: { Limit: 50n },
};

const spec = {
  Version: "1.1.0",
  Process: process(["/bin/busybox", "cat"]),
  Root: { Path: ROOT },
  Hostname: "",
  Mounts: [
    { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "nodev"] },
    { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["size=64k"] },
    { destination: "/data", type: "bind", source: "/run/fuzz/data", options: ["rbind", "ro"] },
  ],
  Linux: {
    Namespaces: [{ Type: "mount" }, { Type: "ipc" }],
    Sysctl: new Map([["net.fuzz.none", "1"]]),
    Devices: [{ Path: "/dev/null", Type: "c", Major: 1n, Minor: 3n, FileMode: 0o666 }],
    MaskedPaths: ["/proc/kcore"],
    ReadonlyPaths: ["/proc/bus"],
    Resources: resources,
    Seccomp: {
      DefaultAction: "SCMP_ACT_ALLOW",
      Architectures: ["SCMP_ARCH_X86_64"],
      Syscalls: [
        {
          Names: ["kexec_load"],
          Action: "SCMP_ACT_ERRNO",
          Args: [{ Index: 0n, Value: 1n, Op: "SCMP_CMP_EQ" }],
        },
      ],
    },
  },
};

const storages = [
  { driver: "ephemeral", source: "shm", fstype: "tmpfs", options: ["size=64k"], mountPoint: "/run/fuzz/shm" },
  {
    driver: "bind",
    source: "/run/fuzz/data",
    fstype: "bind",
    options: ["bind"],
    mountPoint: "/run/fuzz/bound",
  },
];

const which = { containerId: CONTAINER, execId: CONTAINER };
const inner = { address: "10.0.0.1", mask: "24" };

/** What the sandbox is made of, and its container. */
export const CREATE_SANDBOX = { hostname: "pod", dns: ["nameserver 192.0.2.1"], sandboxPidns: true };
export const CREATE_CONTAINER = { ...which, OCI: spec, sandboxPidns: true };

/** See the head of the file. */
export const SAMPLES: Readonly<Record<string, readonly object[]>> = {
  CreateSandbox: [{ ...CREATE_SANDBOX, storages }],
  CreateContainer: [
    { ...CREATE_CONTAINER, containerId: "d", execId: "d", storages },
    { ...CREATE_CONTAINER, containerId: "e", execId: "e" },
  ],
  StartContainer: [{ containerId: "d" }, { containerId: "e" }],
  RemoveContainer: [
    { containerId: "d", timeout: 5 },
    { containerId: "e", timeout: 5 },
  ],
  ExecProcess: [{ ...which, execId: "p", process: process(["/bin/busybox", "true"]) }],
  SignalProcess: [{ ...which, execId: "p", signal: 9 }],
  WaitProcess: [which, { ...which, execId: "p" }],
  ListProcesses: [{ containerId: CONTAINER, format: "table", args: ["-ef"] }],
  UpdateContainer: [{ containerId: CONTAINER, resources }],
  StatsContainer: [{ containerId: CONTAINER }],
  PauseContainer: [{ containerId: "d" }],
  ResumeContainer: [{ containerId: "d" }],
  WriteStdin: [{ ...which, data: Buffer.from("input\n") }],
  ReadStdout: [
    { ...which, len: 1000 },
    { ...which, len: 1000, acknowledged: 3n, resume: true },
  ],
  TtyWinResize: [{ ...which, row: 24, column: 80 }],
  UpdateInterface: [
    { interface: { name: "lo", hwAddr: "00:00:00:00:00:00", IPAddresses: [inner], mtu: 1500n } },
  ],
  UpdateRoutes: [{ routes: { Routes: [{ dest: "10.0.0.0/8", device: "lo" }] } }],
  AddARPNeighbors: [
    { neighbors: { ARPNeighbors: [{ toIPAddress: inner, device: "lo", lladdr: "02:00:00:00:00:01" }] } },
  ],
  CopyFile: [
    { path: "/run/fuzz/file", fileSize: 5n, fileMode: 0o644, dirMode: 0o755, data: Buffer.from("hello") },
  ],
};

/** Gives the agent what the good requests are about. */
export async function furnish(session: KataSession): Promise<void> {
  const root = insidePath(session, ROOT);
  await mkdir(`${root}/bin`, { recursive: true });
  for (const folder of ["proc", "dev", "data"]) await mkdir(`${root}/${folder}`);
  await cp(BUSYBOX, `${root}/bin/busybox`);
  const data = insidePath(session, "/run/fuzz/data");
  await rm(data, { recursive: true, force: true });
  await mkdir(data);
  await writeFile(`${data}/file`, "data\n");
}

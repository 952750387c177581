import assert from "node:assert/strict";
import { test } from "node:test";
import type { GuestInterface } from "../../network/types.ts";
import type { ContainerConfig, OciSpec } from "../../types/index.ts";
import type { ContainerStorage, PodStart } from "../types.ts";
import { containerRequest } from "./container-request.ts";
import { routeMessages } from "./network-messages.ts";
import { execRequest } from "./process-message.ts";
import { podFiles, sandboxRequest } from "./sandbox-request.ts";
import { hasOwnPids, specMessage } from "./spec-message.ts";

const config: ContainerConfig = { id: "c", rootFs: "/r", cmd: { args: ["sh"] } };
const storage: ContainerStorage = {
  root: { drive: "drive0", fstype: "erofs" },
  shared: [],
  mounts: [],
  devices: [],
};
const ociSpec: OciSpec = {
  ociVersion: "1.1.0",
  process: { args: ["true"], cwd: "/", user: { uid: 1, gid: 2 } },
};
const guest = "/run/kata-containers";

test("an image is a disk with a layer in memory over it, found by its address or its name", () => {
  const request = containerRequest({ config, storage });
  const { storages = [], OCI } = request;
  const place = `${guest}/containers/c`;
  assert.deepEqual(
    storages.map(({ driver, source, mountPoint }) => [driver, source, mountPoint]),
    [
      ["blk", "/dev/disk/by-id/virtio-drive0", `${place}/image`],
      ["ephemeral", "tmpfs", `${place}/scratch`],
      ["overlayfs", "overlay", `${place}/rootfs`],
    ],
  );
  assert.equal(OCI?.Root?.Path, `${place}/rootfs`);
  assert.deepEqual([request.execId, request.sandboxPidns, request.stringUser], ["c", true, undefined]);
  const sourceAt = (addr: string) => {
    const root = { drive: "drive0", addr, fstype: "ext4" };
    const [disk] = containerRequest({ config, storage: { ...storage, root } }).storages ?? [];
    return [disk?.driver, disk?.source];
  };
  assert.deepEqual(
    [sourceAt("0:3"), sourceAt("0f/00")],
    [
      ["scsi", "0:3"],
      ["blk", "0f/00"],
    ],
  );
  const shared = containerRequest({ config, storage: { ...storage, root: { share: "c/rootfs" } } });
  assert.deepEqual([shared.storages, shared.OCI?.Root?.Path], [[], `${guest}/shared/containers/c/rootfs`]);
});

test("a full specification gets those files of the pod that are asked for, read-only", () => {
  const mounts = [{ destination: "/proc", type: "proc", source: "proc" }];
  const own: ContainerConfig = {
    ...config,
    ociSpec: { ...ociSpec, mounts },
    podFiles: ["hosts", "resolv.conf"],
  };
  const mountsWith = (servers: string[]) => {
    const dns = { servers, search: [], options: [] };
    return containerRequest({ config: own, storage, dns }).OCI?.Mounts?.map(({ destination }) => destination);
  };
  assert.deepEqual(mountsWith(["10.0.0.1"]), ["/proc", "/etc/hosts", "/etc/resolv.conf"]);
  assert.deepEqual(mountsWith([]), ["/proc", "/etc/hosts"]);
  const [, hosts] = containerRequest({ config: own, storage }).OCI?.Mounts ?? [];
  assert.deepEqual([hosts?.source, hosts?.options], [`${guest}/files/hosts`, ["bind", "ro"]]);
});

test("shares, mounts and devices are in their places, and may be used", () => {
  const { OCI, devices } = containerRequest({
    config: { ...config, resources: { pids: { limit: 5 } } },
    storage: {
      ...storage,
      shared: [
        { source: "c/mount0", destination: "/data", readOnly: true },
        { source: "", tag: "tag", destination: "/volume", readOnly: false },
      ],
      mounts: [{ destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["size=1m"] }],
      devices: [{ path: "/dev/x", type: "b", major: 8, minor: 1, disk: "drive1", addr: "0:1" }],
    },
    dns: { servers: ["10.0.0.1"], search: [], options: [] },
  });
  const mounts = new Map((OCI?.Mounts ?? []).map((mount) => [mount.destination, mount]));
  assert.equal(mounts.get("/data")?.source, `${guest}/shared/containers/c/mount0`);
  assert.ok(mounts.get("/data")?.options?.includes("ro"));
  assert.equal(mounts.get("/volume")?.source, `${guest}/volumes/tag`);
  assert.deepEqual(mounts.get("/tmp")?.options, ["size=1m", "nodev"]);
  assert.equal(mounts.get("/etc/resolv.conf")?.source, `${guest}/files/resolv.conf`);
  assert.deepEqual(devices, [{ id: "0:1", type: "scsi", vmPath: "", containerPath: "/dev/x" }]);
  assert.equal(OCI?.Linux?.Devices?.[0]?.Path, "/dev/x");
  assert.equal(OCI?.Linux?.Resources?.Pids?.Limit, 5n);
  const rule = OCI?.Linux?.Resources?.Devices?.at(-1);
  assert.deepEqual(rule, { Allow: true, Type: "b", Major: 8n, Minor: 1n, Access: "rwm" });
});

test("a full specification wins: only what is the host's is put in its place", () => {
  const full: OciSpec = {
    ...ociSpec,
    mounts: [
      { destination: "/proc", type: "proc" },
      { destination: "/data/", source: "/on/the/host", options: ["rbind", "nosuid"] },
      { destination: "/dev/disk", source: "/dev/loop0", type: "bind" },
    ],
    linux: {
      namespaces: [{ type: "pid", path: "/proc/7/ns/pid" }, { type: "network" }, { type: "ipc", path: "/x" }],
      cgroupsPath: "system.slice:husk:one",
    },
  };
  const { OCI, sandboxPidns, stringUser } = containerRequest({
    config: { ...config, ociSpec: full },
    storage: {
      ...storage,
      shared: [{ source: "c/mount1", destination: "/data", readOnly: false }],
      devices: [{ path: "/dev/disk", type: "b", major: 7, minor: 0, disk: "drive1" }],
    },
  });
  assert.deepEqual(
    OCI?.Mounts?.map(({ destination, source, options }) => [destination, source, options]),
    [
      ["/proc", undefined, undefined],
      ["/data/", `${guest}/shared/containers/c/mount1`, ["rbind", "nosuid"]],
    ],
  );
  assert.deepEqual([sandboxPidns, stringUser, OCI?.Process?.User?.UID], [true, undefined, 1]);
  assert.deepEqual(OCI?.Linux?.Namespaces, [{ Type: "ipc" }]);
  assert.equal(OCI?.Linux?.CgroupsPath, "/husk/one");
});

test("hooks, filters and limits of a specification travel, numbers that mean all or none too", () => {
  const spec: OciSpec = {
    ...ociSpec,
    process: {
      ...ociSpec.process,
      rlimits: [{ type: "RLIMIT_CORE", hard: Number.MAX_SAFE_INTEGER, soft: 0 }],
    },
    hooks: { startContainer: [{ path: "/hook", timeout: 3 }] },
    linux: {
      namespaces: [{ type: "pid" }],
      seccomp: {
        defaultAction: "SCMP_ACT_ALLOW",
        syscalls: [
          {
            names: ["mount"],
            action: "SCMP_ACT_ERRNO",
            errnoRet: 1,
            args: [{ index: 0, value: 3, op: "SCMP_CMP_EQ" }],
          },
        ],
      },
      resources: { devices: [{ allow: false }] },
    },
  };
  const message = specMessage(spec, "/root");
  assert.equal(hasOwnPids(spec), true);
  assert.deepEqual(message.Process?.Rlimits, [
    { Type: "RLIMIT_CORE", Hard: 0xffff_ffff_ffff_ffffn, Soft: 0n },
  ]);
  assert.equal(message.Hooks?.StartContainer?.[0]?.Timeout, 3n);
  assert.deepEqual(message.Linux?.Seccomp?.Syscalls?.[0]?.Args, [
    { Index: 0n, Value: 3n, ValueTwo: 0n, Op: "SCMP_CMP_EQ" },
  ]);
  const [rule] = message.Linux?.Resources?.Devices ?? [];
  assert.deepEqual(rule, { Allow: false, Type: "a", Major: -1n, Minor: -1n, Access: "rwm" });
});

test("a command has its user by names, its last variables, and its capabilities", () => {
  const { process, stringUser } = execRequest({
    args: ["x"],
    envs: [
      { var: "PATH", value: "/bin" },
      { var: "A", value: "1" },
      { var: "A", value: "2=3" },
    ],
    user: "nobody",
    supplementaryGroups: ["wheel"],
    capabilities: { bounding: ["CAP_KILL"] },
  });
  assert.deepEqual(process.Env, ["PATH=/bin", "A=2=3"]);
  assert.deepEqual(stringUser, { uid: "nobody", gid: "", additionalGids: ["wheel"] });
  assert.deepEqual(
    [process.Capabilities?.Bounding, process.Capabilities?.Effective],
    [["CAP_KILL"], undefined],
  );
  assert.equal(execRequest({ args: ["x"] }).process.Capabilities?.Bounding?.length, 14);
});

test("a pod has its shares, its files and its modules", () => {
  const pod: PodStart = {
    podId: "pod",
    hostname: "h".repeat(70),
    shareDir: "huskShared",
    shares: [
      { tag: "huskShared", kind: "virtiofs" },
      { tag: "data", kind: "9p" },
    ],
    addresses: ["10.0.0.2"],
    dns: { servers: ["1.1.1.1"], search: ["a", "b"], options: ["ndots:1"] },
  };
  const request = sandboxRequest(pod, { kernelModules: ["e1000e  EEE=1 x=2", "dummy"] });
  assert.equal(request.hostname?.length, 64);
  assert.deepEqual(request.dns, ["nameserver 1.1.1.1", "search a b", "options ndots:1"]);
  assert.deepEqual(
    request.storages?.map(({ driver, mountPoint }) => [driver, mountPoint]),
    [
      ["virtio-fs", `${guest}/shared/containers`],
      ["9p", `${guest}/volumes/data`],
      ["ephemeral", `${guest}/sandbox/shm`],
    ],
  );
  assert.deepEqual(request.kernelModules, [
    { name: "e1000e", parameters: ["EEE=1", "x=2"] },
    { name: "dummy", parameters: [] },
  ]);
  const files = Object.fromEntries(
    podFiles({ ...pod, hostname: "me" }).map(({ path, text }) => [path, text]),
  );
  assert.match(files[`${guest}/files/hosts`] ?? "", /\n10\.0\.0\.2\tme\n$/);
  assert.equal(files[`${guest}/files/hostname`], "me\n");
});

test("of several ways to one network, the one with the least metric is taken", () => {
  const one = (name: string, metric?: number): GuestInterface => ({
    ...{ name, mac: "02:00:00:00:00:01", mtu: 1500, addresses: [], neighbours: [] },
    routes: [
      { dest: "default", family: "inet", gateway: "10.0.0.1", onLink: true, ...(metric ? { metric } : {}) },
    ],
  });
  const routes = routeMessages([one("eth0", 200), one("eth1", 100)]);
  assert.deepEqual(
    routes.map(({ dest, device, flags }) => [dest, device, flags]),
    [["", "eth1", 4]],
  );
});

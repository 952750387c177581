/** A container of the OCI specification as a plan, set up as a good runtime does it. */

import { getpid } from "tiny:sys";
import type { Linux, Spec, StringUser } from "@husk/wire/kata";
import { Cgroup, COUNTING } from "../cgroup/cgroup.ts";
import { limitContainer } from "../cgroup/limit-container.ts";
import { bindConsole } from "../console.ts";
import type { ContainerPlan } from "../container-plan.ts";
import { makeStandardLinks, placeDevice, standardDevices } from "../devices.ts";
import { showMachineId } from "../machine-id.ts";
import { resolveInContainer } from "../mounts/mount-point.ts";
import { mountAll } from "../mounts/mount-step.ts";
import { enterRootfs } from "../rootfs.ts";
import type { Course } from "../start-child.ts";
import { setSysctls, sysctlPath } from "../sysctls.ts";
import { type IdMaps, makeUserNamespace, writeIdMaps } from "../user-namespace.ts";
import { type HookPlan, type HookPoint, type HookState, planHooks, runHooks, runHooksHere } from "./hooks.ts";
import { planCgroupPath } from "./plan-cgroup.ts";
import { ownedNode, planOciDevice } from "./plan-devices.ts";
import { type MountOwner, planOciMount, terminalOptions } from "./plan-mount.ts";
import { type NamespacesPlan, planNamespaces } from "./plan-namespaces.ts";
import { planOciProcess } from "./plan-process.ts";
import { planOciRoot } from "./plan-root.ts";
import { planSeccomp } from "./plan-seccomp.ts";
import { planUsers } from "./plan-users.ts";
import { fixPath, maskPath } from "./protect-paths.ts";
import { checked, checkPath, quote, specFault } from "./spec-fault.ts";

/** What is known of a container besides its specification. */
export interface OciSetting {
  id: string;
  stringUser: StringUser | undefined;
  /** whether it is in the pod's PID namespace */
  sharesPids: boolean;
  /** hooks of the guest itself */
  guestHooks: Partial<HookPlan>;
}

/** A plan, and what goes on around the container's life. */
export interface OciContainerPlan extends ContainerPlan {
  /** Runs its hooks of a point in the agent's namespaces. @throws Error naming the first one that fails */
  runHooks(point: HookPoint, status: HookState["status"], pid: number): Promise<void>;
  /** What its further processes have of the container: its filter of system calls. */
  installSeccomp: (() => void) | undefined;
  /** who its users are in the guest, when it has a user namespace */
  ids: IdMaps | undefined;
}

const EMPTY: Linux = {
  UIDMappings: [],
  GIDMappings: [],
  Sysctl: new Map(),
  CgroupsPath: "",
  Namespaces: [],
  Devices: [],
  RootfsPropagation: "",
  MaskedPaths: [],
  ReadonlyPaths: [],
  MountLabel: "",
};

/** Most mounts, devices, and paths of a kind. */
const MAX_ENTRIES = 4096;

function refuseUnsupported(linux: Linux): void {
  if (linux.MountLabel)
    throw specFault(`linux.mountLabel ${quote(linux.MountLabel)}: the guest has no SELinux`);
  if (linux.IntelRdt) throw specFault("linux.intelRdt: the guest has no such hardware");
}

function checkCounts(spec: Spec, linux: Linux): void {
  const lists = [spec.Mounts, linux.Devices, linux.MaskedPaths, linux.ReadonlyPaths];
  if (lists.some(({ length }) => length > MAX_ENTRIES))
    throw specFault(`the specification has a list of more than ${MAX_ENTRIES} entries`);
}

/** Whether the folder of devices is one that is there already, with what it has. */
function hasReadyDevices({ Mounts }: Spec): boolean {
  return Mounts.some(({ destination, type, options }) => {
    const isBind = type === "bind" || options.includes("bind") || options.includes("rbind");
    return isBind && /^\/+dev\/*$/.test(destination);
  });
}

function makeState(id: string, spec: Spec): Omit<HookState, "status" | "pid"> {
  const root = spec.Root?.Path ?? "/";
  return {
    ociVersion: spec.Version || "1.0.2",
    id,
    bundle: root.replace(/\/[^/]*\/*$/, "") || "/",
    annotations: Object.fromEntries(spec.Annotations),
  };
}

/** Those of the paths that are not below another: what is mounted there is in what is mounted on that one. */
function rootPoints(paths: readonly string[]): string[] {
  return paths.filter((path) => !paths.some((other) => path !== other && path.startsWith(`${other}/`)));
}

/** What is mounted and made in the root, and what is taken away from it: done in the child, whose root it is. */
function planFurniture(spec: Spec, linux: Linux, owner: MountOwner) {
  const mounts = spec.Mounts.map((mount) => planOciMount(mount, owner));
  const sysfs = spec.Mounts.find((mount) => mount.type === "sysfs")?.destination;
  const devices = [...(hasReadyDevices(spec) ? [] : standardDevices()), ...linux.Devices.map(planOciDevice)];
  for (const path of linux.MaskedPaths) checkPath("an entry of linux.maskedPaths", path);
  for (const path of linux.ReadonlyPaths) checkPath("an entry of linux.readonlyPaths", path);
  for (const name of linux.Sysctl.keys()) checked("linux.sysctl", () => sysctlPath(name));
  const furnish = (guest: (path: string) => string, terminal: number | undefined) => {
    mountAll(mounts, guest);
    if (sysfs !== undefined) showMachineId(guest, resolveInContainer(sysfs));
    for (const device of devices) placeDevice(ownedNode(device, owner.ids));
    if (!hasReadyDevices(spec)) makeStandardLinks();
    if (terminal !== undefined) bindConsole(guest, owner.containerId, terminal);
    for (const mount of mounts) mount.finish();
    setSysctls(linux.Sysctl, guest("/proc/sys"));
    for (const path of linux.ReadonlyPaths) fixPath(path);
    for (const path of linux.MaskedPaths) maskPath(path, guest);
  };
  return { furnish, points: rootPoints(["/dev", ...mounts.map(({ destination }) => destination)]) };
}

/**
 * Plans a container.
 *
 * @throws TtrpcError INVALID_ARGUMENT for what a specification lacks, and for what cannot be done
 */
export function planOciContainer(spec: Spec, setting: OciSetting): OciContainerPlan {
  const { id, stringUser, sharesPids } = setting;
  const linux = spec.Linux ?? EMPTY;
  refuseUnsupported(linux);
  checkCounts(spec, linux);
  const hooks = planHooks(spec.Hooks, setting.guestHooks);
  const state = makeState(id, spec);
  const namespaces = planNamespaces(linux.Namespaces, sharesPids);
  const cgroup = planCgroupPath(id, linux.CgroupsPath);
  const installSeccomp = planSeccomp(linux.Seccomp);
  const ids = planUsers(linux.Namespaces, linux.UIDMappings, linux.GIDMappings);
  const { furnish, points } = planFurniture(spec, linux, {
    containerId: id,
    cgroup,
    ownCgroup: namespaces.ownCgroup,
    ids,
  });
  const process = planOciProcess(spec.Process, {
    id,
    stringUser,
    makeWorkdir: true,
    installSeccomp,
    ids,
    beforeProgram: () => runHooksHere("startContainer", hooks.startContainer, hereState(state, "created")),
  });
  let course: Course | undefined;
  const waitsForHooks = hooks.prestart.length + hooks.createRuntime.length > 0;
  const root = planOciRoot(id, spec.Root, linux.RootfsPropagation, () => {
    if (waitsForHooks) course?.pause();
    runHooksHere("createContainer", hooks.createContainer, hereState(state, "creating"));
  });
  const plan: OciContainerPlan = {
    id,
    process,
    makeCgroup: () => new Cgroup(cgroup, COUNTING),
    limit: (of) => checked("linux.resources", () => limitContainer(of, linux)),
    terminalOptions: terminalOptions(spec.Mounts, ids),
    ...describe(namespaces),
    enterRoot: ({ terminal }, ownCourse) => {
      course = ownCourse;
      namespaces.enter();
      enterRootfs(root, points, (guest) => furnish(guest, terminal));
    },
    runHooks: (point, status, pid) => runHooks(point, hooks[point], { ...state, status, pid }),
    installSeccomp,
    ids,
    ...(ids && { makeUsers: makeUsers }),
    stops: [
      ...(waitsForHooks ? [(pid: number) => runEarlyHooks(plan, pid)] : []),
      ...(ids ? [(pid: number) => writeIdMaps(pid, ids)] : []),
    ],
  };
  return plan;
}

function makeUsers(course: Course): void {
  makeUserNamespace();
  course.pause();
}

function describe({ ownPids, flags, joined }: NamespacesPlan) {
  return { ownPids, namespaces: flags, joined };
}

/** The state as hooks have it that are run in the container's own namespaces. */
function hereState(state: Omit<HookState, "status" | "pid">, status: HookState["status"]): HookState {
  return { ...state, status, pid: getpid() };
}

async function runEarlyHooks(plan: OciContainerPlan, pid: number): Promise<void> {
  await plan.runHooks("prestart", "creating", pid);
  await plan.runHooks("createRuntime", "creating", pid);
}

import type { Hook, Hooks, Linux, LinuxResources, LinuxSeccomp, Spec } from "@husk/wire/kata";
import type { MessageInit } from "@husk/wire/protobuf";
import type {
  OciDeviceRule,
  OciHook,
  OciHooks,
  OciIdMapping,
  OciLinux,
  OciNamespace,
  OciResources,
  OciSeccomp,
  OciSpec,
} from "../../types/index.ts";
import { processMessage } from "./process-message.ts";
import { resourcesMessage } from "./resources-message.ts";

/** Number in a device's rule that stands for all. */
const ALL = -1;

/** A container's specification as the agent's protocol has it. Its namespaces are seen from the guest. */
export function specMessage(spec: OciSpec, rootPath: string): MessageInit<Spec> {
  const { mounts = [], hooks, annotations = {}, linux = {} } = spec;
  return {
    Version: spec.ociVersion,
    Process: processMessage(spec.process),
    Root: { Path: rootPath, Readonly: spec.root?.readonly },
    Hostname: spec.hostname,
    Mounts: mounts.map(({ destination, source, type, options }) => ({ destination, source, type, options })),
    Hooks: hooks && hooksMessage(hooks),
    Annotations: new Map(Object.entries(annotations)),
    Linux: linuxMessage(linux),
  };
}

/** Whether a container has a PID namespace of its own, and not the pod's. */
export function hasOwnPids({ linux = {} }: OciSpec): boolean {
  return linux.namespaces?.some(({ type, path }) => type === "pid" && !path) ?? false;
}

function linuxMessage(linux: OciLinux): MessageInit<Linux> {
  return {
    UIDMappings: linux.uidMappings?.map(mappingMessage),
    GIDMappings: linux.gidMappings?.map(mappingMessage),
    Sysctl: new Map(Object.entries(linux.sysctl ?? {})),
    Resources: linux.resources && limitsMessage(linux.resources),
    CgroupsPath: cgroupsPathOf(linux.cgroupsPath ?? ""),
    Namespaces: (linux.namespaces ?? []).filter(isOfGuest).map(({ type }) => ({ Type: type })),
    Devices: linux.devices?.map(({ path, type, major = 0, minor = 0, fileMode, uid, gid }) => ({
      ...{ Path: path, Type: type, Major: BigInt(major), Minor: BigInt(minor) },
      ...{ FileMode: fileMode, UID: uid, GID: gid },
    })),
    Seccomp: linux.seccomp && seccompMessage(linux.seccomp),
    RootfsPropagation: linux.rootfsPropagation,
    MaskedPaths: linux.maskedPaths,
    ReadonlyPaths: linux.readonlyPaths,
  };
}

/** Paths of the host mean nothing in the guest: the network, and a PID namespace to be joined, are the pod's. */
function isOfGuest({ type, path }: OciNamespace): boolean {
  return type !== "network" && !(type === "pid" && path);
}

/** systemd's form `slice:prefix:name` is a name of the host's; the agent's groups are folders. */
function cgroupsPathOf(path: string): string {
  const [, prefix, name] = path.split(":");
  return name === undefined ? path : `/${prefix}/${name}`;
}

function mappingMessage({ containerID, hostID, size }: OciIdMapping) {
  return { ContainerID: containerID, HostID: hostID, Size: size };
}

function limitsMessage({ devices = [], ...limits }: OciResources): MessageInit<LinuxResources> {
  return { ...resourcesMessage(limits), Devices: devices.map(ruleMessage) };
}

function ruleMessage({ allow, type = "a", major = ALL, minor = ALL, access = "rwm" }: OciDeviceRule) {
  return { Allow: allow, Type: type, Major: BigInt(major), Minor: BigInt(minor), Access: access };
}

function seccompMessage(seccomp: OciSeccomp): MessageInit<LinuxSeccomp> {
  return {
    DefaultAction: seccomp.defaultAction,
    Architectures: seccomp.architectures,
    Flags: seccomp.flags,
    Syscalls: seccomp.syscalls?.map(({ names, action, errnoRet, args = [] }) => ({
      ...{ Names: names, Action: action, errnoret: errnoRet },
      Args: args.map(({ index, value, valueTwo = 0, op }) => ({
        ...{ Index: BigInt(index), Value: BigInt(value), ValueTwo: BigInt(valueTwo), Op: op },
      })),
    })),
  };
}

function hooksMessage(hooks: OciHooks): MessageInit<Hooks> {
  return {
    Prestart: hooks.prestart?.map(hookMessage),
    CreateRuntime: hooks.createRuntime?.map(hookMessage),
    CreateContainer: hooks.createContainer?.map(hookMessage),
    StartContainer: hooks.startContainer?.map(hookMessage),
    Poststart: hooks.poststart?.map(hookMessage),
    Poststop: hooks.poststop?.map(hookMessage),
  };
}

function hookMessage({ path, args, env, timeout = 0 }: OciHook): MessageInit<Hook> {
  return { Path: path, Args: args, Env: env, Timeout: BigInt(timeout) };
}

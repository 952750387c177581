import { HuskError } from "../errors/index.ts";
import type { Cmd, ContainerConfig, OciProcess, OciSpec, PodConfig } from "../types/index.ts";
import { linuxResourceFields } from "./resources-schema.ts";
import { flag, integer, kind, list, object, path, type Rule, record, text } from "./rules.ts";

/** Highest user or group number: the one above means "none". */
const MAX_ID = 0xffff_fffe;
const id = integer(0, MAX_ID);
const count = integer(0, Number.MAX_SAFE_INTEGER);
const paths = list(absolutePath);
const word = text({ empty: false, max: 256 });
const words = list(word);

function absolutePath(value: unknown, at: string): void {
  path(value, at);
  if ((value as string).startsWith("/")) return;
  throw new HuskError("ERR_CONFIG_INVALID", `${at}: must be absolute`);
}

/** `NAME=value`. */
function variable(value: unknown, at: string): void {
  text()(value, at);
  if (/^[^=]+=/.test(value as string)) return;
  throw new HuskError("ERR_CONFIG_INVALID", `${at}: must be NAME=value`);
}

const ociProcess: Rule = object(
  {
    terminal: flag,
    consoleSize: object({ height: integer(0, 65_535), width: integer(0, 65_535) }, ["height", "width"]),
    user: object({ uid: id, gid: id, additionalGids: list(id) }, ["uid", "gid"]),
    args: list(text(), { empty: false }),
    env: list(variable),
    cwd: absolutePath,
    capabilities: object({
      bounding: words,
      effective: words,
      inheritable: words,
      permitted: words,
      ambient: words,
    }),
    rlimits: list(object({ type: word, hard: count, soft: count }, ["type", "hard", "soft"])),
    noNewPrivileges: flag,
    oomScoreAdj: integer(-1000, 1000),
  },
  ["user", "args", "cwd"],
);

const mount = object(
  { destination: absolutePath, source: text(), type: text({ max: 256 }), options: list(text()) },
  ["destination"],
);

const hooks = list(
  object({ path: absolutePath, args: list(text()), env: list(variable), timeout: integer(0, 86_400) }, [
    "path",
  ]),
);

const mappings = list(
  object({ containerID: id, hostID: id, size: integer(1, MAX_ID) }, ["containerID", "hostID", "size"]),
);

const device = object(
  {
    path: absolutePath,
    type: kind(["c", "b", "u", "p"]),
    major: integer(0, 4095),
    minor: integer(0, 1_048_575),
    fileMode: integer(0, 0o7777),
    uid: id,
    gid: id,
  },
  ["path", "type"],
);

/** Numbers may be -1, which is all. */
const deviceRule = object(
  {
    allow: flag,
    type: kind(["a", "c", "b"]),
    major: integer(-1, 4095),
    minor: integer(-1, 1_048_575),
    access: text({ max: 3 }),
  },
  ["allow"],
);

const seccomp = object(
  {
    defaultAction: word,
    architectures: words,
    flags: words,
    syscalls: list(
      object(
        {
          names: words,
          action: word,
          errnoRet: integer(0, 4095),
          args: list(
            object({ index: integer(0, 5), value: count, valueTwo: count, op: word }, [
              "index",
              "value",
              "op",
            ]),
          ),
        },
        ["names", "action"],
      ),
    ),
  },
  ["defaultAction"],
);

const linux = object({
  uidMappings: mappings,
  gidMappings: mappings,
  sysctl: record(text({ max: 4096 })),
  resources: object({ ...linuxResourceFields, devices: list(deviceRule) }),
  cgroupsPath: text({ max: 4095 }),
  namespaces: list(
    object(
      { type: kind(["pid", "network", "mount", "ipc", "uts", "user", "cgroup"]), path: text({ max: 4095 }) },
      ["type"],
    ),
  ),
  devices: list(device),
  seccomp,
  rootfsPropagation: text({ max: 64 }),
  maskedPaths: paths,
  readonlyPaths: paths,
});

/** A specification as OCI has it. What the agent's protocol cannot carry is refused as unknown. */
export const ociSpec: Rule = object(
  {
    ociVersion: word,
    process: ociProcess,
    root: object({ path: text({ max: 4095 }), readonly: flag }),
    hostname: text({ max: 64 }),
    mounts: list(mount),
    hooks: object({
      prestart: hooks,
      createRuntime: hooks,
      createContainer: hooks,
      startContainer: hooks,
      poststart: hooks,
      poststop: hooks,
    }),
    annotations: record(text()),
    linux,
  },
  ["ociVersion", "process"],
);

/** Fields of a container whose place the specification takes. */
const REPLACED = ["mounts", "deviceInfos", "resources", "readonlyRootfs"] as const;

/**
 * Checks that a container's specification and the rest of its configuration do not speak against each other.
 * @throws HuskError ERR_CONFIG_INVALID
 */
export function checkBesideSpec(config: ContainerConfig, at: string): void {
  const { ociSpec: spec, cmd, podFiles } = config;
  if (!spec && podFiles) throw invalid(`${at}podFiles`, "is only for a container with an ociSpec");
  if (!spec) return;
  const field = REPLACED.find((name) => config[name] !== undefined && config[name] !== false);
  if (field) throw invalid(`${at}${field}`, "cannot be given beside ociSpec, which has a place for it");
  if ((spec.process.terminal === true) !== (cmd.interactive === true))
    throw invalid(`${at}cmd.interactive`, "must be as ociSpec.process.terminal");
}

/**
 * Checks a process by itself. What the agent's protocol cannot carry is refused as unknown.
 * @throws HuskError ERR_CONFIG_INVALID, ERR_CONFIG_UNKNOWN_FIELD
 */
export function checkOciProcess(value: unknown, at: string): asserts value is OciProcess {
  ociProcess(value, at);
}

/** The same for a specification. */
export function checkOciSpec(value: unknown, at: string): asserts value is OciSpec {
  ociSpec(value, at);
}

/**
 * Checks the process that a pod's container is to get beside its first one.
 * @throws HuskError ERR_CONFIG_INVALID, ERR_CONFIG_UNKNOWN_FIELD, ERR_NOT_SUPPORTED
 */
export function checkProcessBeside(
  value: OciProcess,
  cmd: Cmd,
  { agentType = "hyperstart" }: PodConfig,
): void {
  checkOciProcess(value, "ociProcess");
  if ((value.terminal === true) !== (cmd.interactive === true))
    throw invalid("cmd.interactive", "must be as ociProcess.terminal");
  if (agentType === "kata") return;
  throw new HuskError("ERR_NOT_SUPPORTED", `the agent ${agentType} takes no ociProcess`);
}

/**
 * Refuses specifications for agents that do not take them.
 * @throws HuskError ERR_NOT_SUPPORTED
 */
export function checkSpecsSupported(
  { agentType }: PodConfig,
  containers: readonly { id: string; ociSpec?: OciSpec }[],
): void {
  const found = agentType === "kata" ? undefined : containers.find((one) => one.ociSpec);
  if (!found) return;
  const text = `container "${found.id}": the agent ${agentType ?? "hyperstart"} takes no ociSpec`;
  const hint = 'Create the pod with agentType: "kata".';
  throw new HuskError("ERR_NOT_SUPPORTED", text, { hint, containerId: found.id });
}

function invalid(at: string, problem: string): HuskError {
  return new HuskError("ERR_CONFIG_INVALID", `${at}: ${problem}`);
}

import { HuskError, type OciNamespace, type OciSpec } from "@husk/virtcontainers";

/** Namespaces that a container in a VM has of its own, or shares with nobody else than its pod: never with the host. */
const ALWAYS_OWN = ["mount", "pid", "ipc", "uts", "network"] as const;
/** Hooks that are programs of the host. */
const HOST_HOOKS = ["prestart", "createRuntime", "createContainer", "poststart", "poststop"] as const;

/**
 * Refuses what would be done on the host, or with the host's own namespaces, by its name.
 * @throws HuskError ERR_NOT_SUPPORTED
 */
export function refuseHostMatters({ process, hooks = {}, linux = {} }: OciSpec): void {
  const { namespaces = [] } = linux;
  if (process.terminal) throw cannot("process.terminal", "a terminal cannot be handed over");
  for (const type of ALWAYS_OWN) {
    if (namespaces.some((one) => one.type === type)) continue;
    throw cannot(
      "linux.namespaces",
      `without "${type}" the container would be in the host's, which no VM can be`,
    );
  }
  const joined = namespaces.find(({ type, path }) => type !== "network" && path);
  if (joined)
    throw cannot("linux.namespaces", `a VM cannot join the ${joined.type} namespace ${joined.path}`);
  const hook = HOST_HOOKS.find((name) => (hooks[name] ?? []).length > 0);
  if (hook) throw cannot(`hooks.${hook}`, "hooks on the host are not run");
}

/** The network namespace that is joined; undefined: one with nothing but loopback. */
export function networkNamespace({ linux = {} }: OciSpec): string | undefined {
  const isNetwork = ({ type }: OciNamespace) => type === "network";
  return linux.namespaces?.find(isNetwork)?.path || undefined;
}

function cannot(field: string, why: string): HuskError {
  return new HuskError("ERR_NOT_SUPPORTED", `config.json.${field}: ${why}`);
}

import { HuskError } from "@husk/virtcontainers";

/** Most characters of a namespace or a name. */
const MAX_LENGTH = 76;
/** What containerd takes for an identifier. It cannot lead out of a directory. */
const PATTERN = /^[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*$/;

/**
 * Checks the name of a namespace or a container: it becomes part of paths.
 * @throws HuskError ERR_NAME_INVALID
 */
export function checkName(what: "namespace" | "container", name: unknown): asserts name is string {
  if (isName(name)) return;
  const shown =
    typeof name === "string" ? JSON.stringify(name.slice(0, 80)) : `a value of type ${typeof name}`;
  throw new HuskError("ERR_NAME_INVALID", `${shown} is no name for a ${what}`);
}

/** Whether something is such a name. */
export function isName(name: unknown): name is string {
  return typeof name === "string" && name.length <= MAX_LENGTH && PATTERN.test(name);
}

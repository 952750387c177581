import { join } from "node:path";
import { HuskError } from "@husk/virtcontainers";
import { readNames } from "../state/claim.ts";
import { type ContainerName, namespacesDirectory } from "../state/layout.ts";
import { isName } from "../state/names.ts";

/** All containers, by namespace and name. @param ns only those of that namespace */
export function findContainers(stateRoot: string, ns?: string): ContainerName[] {
  const base = namespacesDirectory(stateRoot);
  const namespaces = ns === undefined ? readNames(base).filter(isName).sort() : [ns];
  return namespaces.flatMap((one) =>
    readNames(join(base, one))
      .filter(isName)
      .sort()
      .map((name) => ({ ns: one, name })),
  );
}

/** The error for a container that is not there. */
export function containerNotFound({ ns, name }: ContainerName): HuskError {
  return new HuskError("ERR_CONTAINER_NOT_FOUND", `there is no container "${name}" in "${ns}"`, {
    containerId: name,
  });
}

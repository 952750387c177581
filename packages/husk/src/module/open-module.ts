import { join, resolve } from "node:path";
import type { ContainerModule, ModuleOptions, ModuleWarning } from "@husk/container-module";
import { guestPaths } from "@husk/guest-image";
import { isHuskError } from "@husk/virtcontainers";
import {
  type ModulePlaceOptions,
  makeOpenOptions,
  type OpenOptions,
  refuseWithSocket,
  saysHowToOpen,
} from "../options/module-options.ts";
import { printable } from "../output/printable.ts";
import { UsageError } from "../usage-error.ts";

/** Directory of the module's sockets when nothing else is said. */
const RUN_ROOT = "/run/husk-module";

/**
 * The container module as a command uses it: of the service, where there is one, else opened by this process. Both are clients of
 * the same shims.
 * @throws HuskError, UsageError
 */
export async function useModule(options: ModulePlaceOptions, signal: AbortSignal): Promise<ContainerModule> {
  refuseWithSocket(options);
  const { connectContainerModule } = await import("@husk/container-module");
  if (options.socket !== undefined) return connectContainerModule(options.socket, { signal });
  if (saysHowToOpen(options)) return openModule(options, { signal });
  try {
    return await connectContainerModule(socketPath(options), { signal });
  } catch (error) {
    if (!isHuskError(error, "ERR_MODULE_UNREACHABLE")) throw error;
    return openModule(options, { signal });
  }
}

/**
 * Opens the container module in this process.
 * `guard`: until it fires, shims that die are replaced at once.
 * @throws HuskError as `openContainerModule`; UsageError when its programs have not been built
 */
export async function openModule(
  options: OpenOptions,
  { signal, guard }: Pick<ModuleOptions, "signal" | "guard">,
): Promise<ContainerModule> {
  const opening = makeOpenOptions(options);
  const { openContainerModule } = await import("@husk/container-module");
  const { residents } = guestPaths();
  if (residents === undefined)
    throw new UsageError("no module-shim, which containers need", "say where it is with HUSK_RESIDENTS");
  const runtime = options.backend === "oci" ? {} : { runtime: vmRuntime(residents) };
  const shim = join(residents, "module-shim");
  return openContainerModule({
    shim,
    ...runtime,
    ...opening,
    onWarning: tellModuleWarning,
    signal,
    guard,
  });
}

/** Path of the service's socket. */
export function socketPath({ socket, runRoot }: ModulePlaceOptions): string {
  return resolve(socket ?? join(runRoot ?? RUN_ROOT, "module.sock"));
}

/** The program that carries containers out in VMs: beside the build that the shims are of. */
function vmRuntime(residents: string): string {
  const { HUSK_VM_RUNTIME } = process.env;
  return HUSK_VM_RUNTIME ? resolve(HUSK_VM_RUNTIME) : join(residents, "../../bin/husk-vm-runtime");
}

function tellModuleWarning({ ns, id, code, message }: ModuleWarning): void {
  process.stderr.write(`husk: warning: ${ns}/${id}: ${printable(message)} [${code}]\n`);
}

import type { ContainerModule } from "@husk/container-module";
import { isHuskError } from "@husk/virtcontainers";
import type { ModulePlaceOptions } from "../options/module-options.ts";
import { SignalTrap, statusOfSignal } from "../terminal/signals.ts";
import { useModule } from "./open-module.ts";

/**
 * Calls the container module, and ends the call when a signal asks for that.
 * @returns exit status: what `act` gives, or that of the signal
 */
export async function callModule(
  options: ModulePlaceOptions,
  act: (module: ContainerModule, signal: AbortSignal) => Promise<number | undefined>,
): Promise<number> {
  using trap = new SignalTrap();
  try {
    const status = (await act(await useModule(options, trap.signal), trap.signal)) ?? 0;
    return trap.caught === undefined ? status : statusOfSignal(trap.caught);
  } catch (error) {
    if (trap.caught === undefined || !isHuskError(error, "ERR_ABORTED")) throw error;
    return statusOfSignal(trap.caught);
  }
}

import type { HuskError } from "@husk/virtcontainers";
import type { Backend } from "../backend/types.ts";
import type { ShareOptions } from "../sources/root-cache.ts";
import type { ContainerName, ModuleDirectories } from "../state/layout.ts";

/** What all calls of a module share. Nothing in it changes: all state is on disk. */
export interface ModuleContext {
  readonly directories: ModuleDirectories;
  /** what carries out new containers */
  readonly backend: Backend;
  /** absolute path of module-shim */
  readonly shim: string;
  /** how root file systems are got */
  readonly sources: Omit<ShareOptions, "signal">;
  /** Tells what went wrong with a container that the caller has not named. */
  warn(error: HuskError, container: ContainerName): void;
}

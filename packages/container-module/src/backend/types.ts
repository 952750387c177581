import type { OciSpec } from "@husk/virtcontainers";
import type { ShimPlan } from "@husk/wire/module-shim";
import type { ContainerPlaces } from "../state/layout.ts";
import type { BackendRecord, CompleteRecord, ContainerRecord } from "../state/record.ts";
import type { ModuleCallOptions } from "../types.ts";

/** Commands of a runtime for one container, and what they need. */
type RuntimeCommands = Pick<
  ShimPlan,
  | "runtimeId"
  | "create"
  | "start"
  | "kill"
  | "delete"
  | "exec"
  | "execTerminal"
  | "killExec"
  | "environment"
  | "exitFile"
> & {
  /** milliseconds that a command may take before it is killed */
  readonly commandTimeoutMs: number;
};

/** What carries containers out. It keeps nothing: each call is told all that it needs. */
export interface Backend {
  readonly record: BackendRecord;
  /**
   * Refuses what it cannot do, before anything is made for it.
   * @throws HuskError ERR_NOT_SUPPORTED, ERR_CONFIG_INVALID, ERR_NETWORK_NAMESPACE
   */
  check(record: ContainerRecord): void;
  /**
   * Makes what a container needs beside its bundle, or what is missing of it, after a reboot for instance.
   * @throws HuskError
   */
  prepare(places: ContainerPlaces, record: CompleteRecord, options: ModuleCallOptions): Promise<void>;
  /** The bundle's config.json. */
  specify(places: ContainerPlaces, record: CompleteRecord): OciSpec;
  /** What its shim is to run. */
  commands(places: ContainerPlaces, record: ContainerRecord): RuntimeCommands;
  /**
   * Removes what `prepare` has made, of a container that does not run. What is not there is no error.
   * @throws HuskError
   */
  release(places: ContainerPlaces): Promise<void>;
}

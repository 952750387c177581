import type { ModuleOptions } from "@husk/container-module";
import { type Command, Option } from "commander";
import { UsageError } from "../usage-error.ts";
import { collect } from "./collect.ts";

/** The options that say how the container module is opened. */
export interface OpenOptions {
  backend?: "vm" | "oci";
  /** program of the backend `oci`: a name or an absolute path */
  runtime?: string;
  stateRoot?: string;
  runRoot?: string;
  logRoot?: string;
  /** stores that flists may name begin so */
  allowStore?: string[];
}

/** The options of `husk module …`: how to open it, or where it is served. */
export interface ModulePlaceOptions extends OpenOptions {
  /** path of the service's socket */
  socket?: string;
}

/** The options of `OpenOptions`, as they are typed. */
const FLAGS: Readonly<Record<keyof OpenOptions, string>> = {
  backend: "--backend",
  runtime: "--runtime",
  stateRoot: "--state-root",
  runRoot: "--run-root",
  logRoot: "--log-root",
  allowStore: "--allow-store",
};

/** Adds the options of `ModulePlaceOptions`. */
export function addModuleOptions(command: Command): Command {
  return command
    .option("--socket <PATH>", "socket of the service (default: module.sock in the run root)")
    .addOption(
      new Option("--backend <KIND>", "what carries out new containers (default: vm)").choices(["vm", "oci"]),
    )
    .option("--runtime <NAME|PATH>", "OCI runtime of the backend oci: runc, crun (default: runc)")
    .option("--state-root <DIR>", "what outlives a reboot (default: /var/lib/husk-module)")
    .option("--run-root <DIR>", "what does not (default: /run/husk-module)")
    .option("--log-root <DIR>", "logs, NS/NAME.log (default: /var/log)")
    .option("--allow-store <URL>", "stores that flists may name begin so (repeatable)", collect)
    .option("--debug", "show more of errors");
}

/** Whether the user has said how to open the module: then no service is asked. */
export function saysHowToOpen(options: ModulePlaceOptions): boolean {
  return givenFlags(options).length > 0;
}

/** @throws UsageError when a service is to be asked that was opened in its own way */
export function refuseWithSocket(options: ModulePlaceOptions): void {
  const [flag] = givenFlags(options);
  if (options.socket === undefined || flag === undefined) return;
  throw new UsageError(
    `${flag} is for who opens the module, and --socket for who asks a service that has`,
    "leave one of them out",
  );
}

/** The library's options out of what was typed. */
export function makeOpenOptions(options: OpenOptions): Partial<ModuleOptions> {
  const { backend, runtime, stateRoot, runRoot, logRoot, allowStore } = options;
  if (runtime !== undefined && backend !== "oci")
    throw new UsageError("--runtime is for the backend oci", "add --backend oci");
  const all = { backend, runtime, stateRoot, runRoot, logRoot, allowedStores: allowStore };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function givenFlags(options: OpenOptions): string[] {
  const keys = Object.keys(FLAGS) as (keyof OpenOptions)[];
  return keys.filter((key) => options[key] !== undefined).map((key) => FLAGS[key]);
}

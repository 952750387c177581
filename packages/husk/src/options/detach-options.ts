import { join, resolve } from "node:path";
import { guestPaths } from "@husk/guest-image";
import {
  type Cmd,
  cacheDirectory,
  type PodConfig,
  type ShimLogConfig,
  stateDirectory,
} from "@husk/virtcontainers";
import type { Command } from "commander";
import { UsageError } from "../usage-error.ts";
import { parsePositive, parseSize } from "./numbers.ts";

/** The options of `run` for a command that nobody stays beside. */
export interface DetachOptions {
  /** do not wait for the command */
  detach?: boolean;
  /** bytes after which its log begins a new file */
  logMaxSize?: number;
  /** files of its log that are kept */
  logMaxFiles?: number;
  /** pass stdin on; detached: keep it open */
  interactive?: boolean;
  /** delete the pod at the end */
  rm?: boolean;
  /** the guest's agent */
  agent?: "hyperstart" | "kata";
}

/** Adds the options of `DetachOptions` that `run` has for nothing else. */
export function addDetachOptions(command: Command): Command {
  return command
    .option("-d, --detach", "do not wait for the command; print the pod's name, keep its output in a log")
    .option(
      "--log-max-size <SIZE>",
      "most that a file of the log may have (default: 10m, least: 256k)",
      parseSize,
    )
    .option("--log-max-files <N>", "files of the log to keep (default: 3)", parsePositive);
}

/** @throws UsageError for options that mean nothing without -d */
export function checkDetachOptions({ detach, logMaxSize, logMaxFiles }: DetachOptions): void {
  if (detach) return;
  const flag = logMaxSize === undefined ? logMaxFiles !== undefined && "--log-max-files" : "--log-max-size";
  if (flag) throw new UsageError(`${flag} is for a log, and only detached commands have one`, "add -d");
}

/** What a command that nobody stays beside has of its own. */
export function makeDetachedCmd({ interactive = false }: DetachOptions): Pick<Cmd, "detach" | "openStdin"> {
  return { detach: true, openStdin: interactive };
}

/**
 * The proxy and the shim that stay beside the pod in our place, and what is done when the command has ended.
 *
 * @throws GuestImageMissingError when they have not been built
 */
export function makeResidents(id: string, options: DetachOptions): Partial<PodConfig> {
  const { residents } = guestPaths();
  if (residents === undefined)
    throw new UsageError("no proxies and shims, which -d needs", "say where they are with HUSK_RESIDENTS");
  const isKata = options.agent === "kata";
  const log: ShimLogConfig = {};
  if (options.logMaxSize !== undefined) log.maxBytes = options.logMaxSize;
  if (options.logMaxFiles !== undefined) log.maxFiles = options.logMaxFiles;
  const end = options.rm ? ["rm", "--if-ended", id] : ["stop", "--if-ended", id];
  return {
    proxyType: isKata ? "kataProxy" : "ccProxy",
    proxyConfig: { path: join(residents, isKata ? "kata-proxy" : "cc-proxy") },
    shimType: isKata ? "kataShim" : "ccShim",
    shimConfig: {
      path: join(residents, isKata ? "kata-shim" : "cc-shim"),
      log,
      exitCommand: huskCommand(end),
    },
  };
}

/** A command line that is this husk with other arguments, in the same places whatever the environment is by then. */
function huskCommand(args: readonly string[]): string[] {
  const places = { HUSK_ROOT: resolve(stateDirectory()), HUSK_CACHE: resolve(cacheDirectory()) };
  const variables = Object.entries(places).map(([name, value]) => `${name}=${value}`);
  return ["/usr/bin/env", ...variables, process.execPath, resolve(process.argv[1] ?? ""), ...args];
}

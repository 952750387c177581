import { resolve } from "node:path";
import type { MountInfo, NetworkInfo, RunOptions } from "@husk/container-module";
import { DEFAULT_LOG, DEFAULT_RESTART } from "@husk/container-module/defaults";
import type { Command } from "commander";
import { UsageError } from "../usage-error.ts";
import { collect } from "./collect.ts";
import { parseCpus, parsePositive, parseSize } from "./numbers.ts";

/** The options of `husk module run` that say what the container is. */
export interface ContainerOptions {
  tag?: string[];
  env?: string[];
  netns?: string;
  mount?: string[];
  entrypoint?: string;
  workdir?: string;
  memory?: number;
  cpus?: number;
  restarts?: number;
  logMaxSize?: number;
  logMaxFiles?: number;
}

const MOUNT_HINT = "write SOURCE:TARGET[:TYPE[:OPTION,…]], as /srv/data:/data:bind:rbind,ro";

/** Adds the options of `ContainerOptions`. */
export function addContainerOptions(command: Command): Command {
  return command
    .option("--tag <TEXT>", "words that inspect tells again (repeatable)", collect)
    .option("-e, --env <NAME=VALUE>", "set an environment variable (repeatable)", collect)
    .option("--netns <NAME|PATH>", "network namespace to join: it must be there (default: one of its own)")
    .option("--mount <SRC:DST[:TYPE[:OPTS]]>", "mount into the container (repeatable)", collect)
    .option("--entrypoint <LINE>", "command line, split by shlex's rules; or put the words behind --")
    .option("-w, --workdir <DIR>", "working directory in the container")
    .option("--memory <SIZE>", "memory that it may use: 64m, 1g", parseSize)
    .option("--cpus <N>", "processors that it may use: 0.5, 2", parseCpus)
    .option("--restarts <N>", "how often it is started again when it ends (default: 3)", parseCount)
    .option("--log-max-size <SIZE>", "most that a file of the log may have (default: 10m)", parseSize)
    .option("--log-max-files <N>", "files of the log to keep (default: 3)", parsePositive);
}

function parseCount(text: string): number {
  return text === "0" ? 0 : parsePositive(text);
}

/** @throws UsageError */
export function makeMounts(texts: readonly string[] = []): MountInfo[] {
  return texts.map((text) => {
    const [source = "", target = "", type, options, ...more] = text.split(":");
    if (source === "" || target === "" || type === "" || more.length > 0)
      throw new UsageError(`not a mount: ${text}`, MOUNT_HINT);
    return {
      // Only a bind has a source that is a path of ours.
      source: type === undefined || type === "bind" ? resolve(source) : source,
      target,
      ...(type === undefined ? {} : { type }),
      ...(options ? { options: options.split(",") } : {}),
    };
  });
}

/** The network namespace to join, if there is one. */
export function makeNetwork(netns: string | undefined): NetworkInfo | undefined {
  return netns === undefined ? undefined : { namespace: netns };
}

/**
 * The entrypoint as it was typed: a line, or words.
 * @throws UsageError when it was typed both ways
 */
export function makeEntrypoint(
  line: string | undefined,
  words: readonly string[],
): string | readonly string[] {
  if (line === undefined) return words.length > 0 ? words : "";
  if (words.length === 0) return line;
  throw new UsageError(
    "the entrypoint is told twice: by --entrypoint and behind --",
    "leave one of them out",
  );
}

/** What else the library is told. */
export function makeRunOptions(options: ContainerOptions): RunOptions {
  const { workdir, memory, cpus, restarts, logMaxSize, logMaxFiles } = options;
  const log = { maxBytes: logMaxSize ?? DEFAULT_LOG.maxBytes, maxFiles: logMaxFiles ?? DEFAULT_LOG.maxFiles };
  // Whoever sets one of these sets them all.
  return {
    ...(workdir === undefined ? {} : { cwd: workdir }),
    ...(memory === undefined ? {} : { memory }),
    ...(cpus === undefined ? {} : { cpus }),
    ...(restarts === undefined ? {} : { restart: { ...DEFAULT_RESTART, limit: restarts } }),
    ...(logMaxSize === undefined && logMaxFiles === undefined ? {} : { log }),
  };
}

/** A source that the service finds as well, wherever it was started: an address, or an absolute path. */
export function makeSource(source: string): string {
  return source === "" || /^[a-z][a-z0-9+.-]*:\/\//i.test(source) ? source : resolve(source);
}

import { readdirSync } from "node:fs";
import { extname, join } from "node:path";
import { HuskError, isHuskError, messageOf, systemCode } from "../../errors/index.ts";
import { readHead } from "../../read-head.ts";
import type { NetworkConfig } from "../../types/index.ts";
import { MAX_INTERFACES } from "../limits.ts";
import { isLoopback, type NetworkList, nameIn, parseNetworkList } from "./configuration.ts";

const DEFAULT_DIRS: readonly string[] = ["/etc/cni/net.d"];
const EXTENSIONS: readonly string[] = [".conf", ".conflist", ".json"];
/** Largest configuration read, in bytes. */
const MAX_FILE_BYTES = 1024 * 1024;
/** Most configurations looked at. */
const MAX_FILES = 1024;

/** The networks that a pod joins. */
export interface NetworkSelection {
  /** in the order of their interfaces */
  readonly networks: readonly NetworkList[];
  /** what sets the loopback up, if that is configured */
  readonly loopback?: NetworkList;
}

/** A file with a network's configuration; with a problem when it is none. */
interface ConfigurationFile {
  readonly path: string;
  /** the network's name, as far as it can be made out */
  readonly name?: string | undefined;
  readonly list?: NetworkList;
  readonly problem?: HuskError;
}

/**
 * Finds the networks that a pod is to join: those that are named, else the first ones by their files' names. A broken
 * file is an error where it could be the one that is wanted, and of no interest where it could not.
 * @throws HuskError ERR_CNI_CONFIG, ERR_CONFIG_INVALID
 */
export function selectNetworks(config: NetworkConfig): NetworkSelection {
  const files = readConfigurations(config);
  const loopback = files.find(({ list }) => list && isLoopback(list))?.list;
  const names = config.cni?.networks;
  checkCount(config.numInterfaces, names);
  const networks = names
    ? names.map((name) => pickByName(files, name, config))
    : pickFirst(files, config.numInterfaces ?? 1, config);
  return { networks, ...(loopback ? { loopback } : {}) };
}

/**
 * Finds one network by its name.
 * @throws HuskError ERR_CNI_CONFIG
 */
export function findNetwork(config: NetworkConfig, name: string): NetworkList {
  return pickByName(readConfigurations(config), name, config);
}

function checkCount(numInterfaces: number | undefined, names: readonly string[] | undefined): void {
  if (!names) return;
  if (names.length > MAX_INTERFACES) {
    const text = `networkConfig.cni.networks: must not be more than ${MAX_INTERFACES}`;
    throw new HuskError("ERR_CONFIG_INVALID", text);
  }
  if (numInterfaces === undefined || numInterfaces === names.length) return;
  const text = `networkConfig: numInterfaces is ${numInterfaces}, and cni.networks names ${names.length}`;
  throw new HuskError("ERR_CONFIG_INVALID", text, { hint: "Leave numInterfaces out." });
}

function pickByName(files: readonly ConfigurationFile[], name: string, config: NetworkConfig): NetworkList {
  const file = files.find((candidate) => candidate.name === name);
  if (file?.problem) throw file.problem;
  if (!file?.list)
    throw missing(`there is no CNI network ${JSON.stringify(name.slice(0, 128))}`, files, config);
  if (!isLoopback(file.list)) return file.list;
  const text = `${file.path}: the network ${name} is the loopback, which a pod cannot join as an interface`;
  throw new HuskError("ERR_CNI_CONFIG", text);
}

/** A broken file that comes before a usable one might have been meant, so another network is not joined in its stead. */
function pickFirst(files: readonly ConfigurationFile[], count: number, config: NetworkConfig): NetworkList[] {
  const networks: NetworkList[] = [];
  for (const { list, problem } of files) {
    if (networks.length === count) break;
    if (problem) throw problem;
    if (list && !isLoopback(list)) networks.push(list);
  }
  if (networks.length === count) return networks;
  throw missing(`${count} CNI networks are wanted, but ${networks.length} found`, files, config);
}

function missing(what: string, files: readonly ConfigurationFile[], config: NetworkConfig): HuskError {
  const dirs = directories(config).join(", ");
  const found = files.flatMap(({ list }) => (list && !isLoopback(list) ? [list.name] : []));
  const broken = files.flatMap(({ problem }) => (problem ? [problem.message] : []));
  const text = [
    `${what} in ${dirs}`,
    found.length > 0 ? `networks there: ${[...new Set(found)].slice(0, 32).join(", ")}` : "",
    broken.length > 0 ? `unusable there: ${broken.slice(0, 4).join("; ")}` : "",
  ];
  return new HuskError("ERR_CNI_CONFIG", text.filter(Boolean).join("; "));
}

function directories({ cni }: NetworkConfig): readonly string[] {
  return cni?.confDirs ?? DEFAULT_DIRS;
}

function readConfigurations(config: NetworkConfig): ConfigurationFile[] {
  const paths = directories(config).flatMap(listFiles);
  if (paths.length > MAX_FILES) {
    const text = `more than ${MAX_FILES} CNI configurations in ${directories(config).join(", ")}`;
    throw new HuskError("ERR_CNI_CONFIG", text);
  }
  return paths.map(readConfiguration);
}

/** Configurations of a directory, by name; hidden files are what editors leave. A directory may be missing. */
function listFiles(directory: string): string[] {
  try {
    const names = readdirSync(directory)
      .filter((name) => !name.startsWith("."))
      .sort();
    return names.filter((name) => EXTENSIONS.includes(extname(name))).map((name) => join(directory, name));
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    const text = `cannot read the directory ${directory}: ${messageOf(error)}`;
    throw new HuskError("ERR_CNI_CONFIG", text, { cause: error });
  }
}

function readConfiguration(path: string): ConfigurationFile {
  let text = "";
  try {
    const bytes = readHead(path, MAX_FILE_BYTES + 1);
    if (bytes.length > MAX_FILE_BYTES) throw new Error(`is longer than ${MAX_FILE_BYTES} bytes`);
    text = bytes.toString();
    const list = parseNetworkList(text, path);
    return { path, list, name: list.name };
  } catch (error) {
    const problem = isHuskError(error)
      ? error
      : new HuskError("ERR_CNI_CONFIG", `${path}: ${messageOf(error)}`, { cause: error });
    return { path, problem, name: nameIn(text) };
  }
}

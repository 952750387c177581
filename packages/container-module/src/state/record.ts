import { readFileSync } from "node:fs";
import { HuskError } from "@husk/virtcontainers";
import { messageOf, systemCode, writeFileAtomically } from "@husk/virtcontainers/internals";
import type { BackendKind, LogLimits, MountInfo, RestartPolicy } from "../types.ts";
import type { ContainerName } from "./layout.ts";

/** Version of container.json. */
const VERSION = 1;

/** What carries a container out. */
export interface BackendRecord {
  readonly kind: BackendKind;
  /** absolute path of its program */
  readonly runtime: string;
}

/** What is known of a container once its root file system is there. */
interface CommandRecord {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  /** the root file system that it begins with, to be read only */
  readonly root: string;
}

/** container.json: what `run` was told, and what it found. It never changes once the container runs. */
export interface ContainerRecord extends ContainerName {
  readonly version: typeof VERSION;
  readonly flist: string;
  readonly tags: readonly string[];
  /** path of the network namespace that it joins */
  readonly networkPath?: string | undefined;
  /** that namespace as `run` was told it */
  readonly network?: string | undefined;
  readonly mounts: readonly MountInfo[];
  /** bytes */
  readonly memory?: number | undefined;
  readonly cpus?: number | undefined;
  readonly log: LogLimits;
  readonly restart: RestartPolicy;
  readonly backend: BackendRecord;
  /** ISO 8601 */
  readonly createdAt: string;
  /** missing: its root file system is being fetched */
  readonly command?: CommandRecord | undefined;
}

/** A record of a container that can be started. */
export type CompleteRecord = ContainerRecord & { readonly command: CommandRecord };

/** Writes a record, as a whole or not at all. @throws HuskError ERR_STORE */
export function writeRecord(path: string, record: Omit<ContainerRecord, "version">): void {
  try {
    writeFileAtomically(path, `${JSON.stringify({ version: VERSION, ...record }, undefined, 2)}\n`);
  } catch (cause) {
    throw new HuskError("ERR_STORE", `${path} cannot be written: ${messageOf(cause)}`, { cause });
  }
}

/**
 * Reads a record.
 * @returns undefined when there is none
 * @throws HuskError ERR_STATE_CORRUPT, ERR_STATE_VERSION, ERR_STORE
 */
export function readRecord(path: string): ContainerRecord | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    if (systemCode(cause) === "ENOENT" || systemCode(cause) === "ENOTDIR") return undefined;
    throw new HuskError("ERR_STORE", `${path} cannot be read: ${messageOf(cause)}`, { cause });
  }
  const value = parseJson(text, path);
  if (value.version !== VERSION) {
    throw new HuskError(
      "ERR_STATE_VERSION",
      `${path} is of version ${String(value.version)}, not ${VERSION}`,
      {
        hint: "Use the version of husk that has made the container to delete it.",
      },
    );
  }
  if (!isRecord(value)) throw corrupt(path, "lacks what each has");
  return value;
}

function parseJson(text: string, path: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch (cause) {
    throw corrupt(path, `is no JSON: ${messageOf(cause)}`);
  }
  throw corrupt(path, "is no object");
}

/** Only husk writes there: what is torn or of somebody else is to be seen, not every value judged. */
function isRecord(
  value: Readonly<Record<string, unknown>>,
): value is Readonly<Record<string, unknown>> & ContainerRecord {
  const { ns, name, flist, createdAt, tags, mounts, log, restart, backend, command } = value;
  return (
    [ns, name, flist, createdAt].every((one) => typeof one === "string") &&
    [tags, mounts].every((one) => Array.isArray(one)) &&
    [log, restart, backend, command ?? {}].every(isObject)
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function corrupt(path: string, why: string): HuskError {
  return new HuskError("ERR_STATE_CORRUPT", `${path} ${why}`, {
    hint: "Make sure that the container does not run, then remove the directory of that file.",
  });
}

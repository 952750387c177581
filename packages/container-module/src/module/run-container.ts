import { existsSync } from "node:fs";
import { HuskError } from "@husk/virtcontainers";
import { throwIfAborted } from "@husk/virtcontainers/internals";
import { findCommand } from "../entrypoint/command.ts";
import { writePlan } from "../shim/plan.ts";
import { startShim } from "../shim/start-shim.ts";
import { startTimeoutMs } from "../shim/timeouts.ts";
import { shareRoot } from "../sources/root-cache.ts";
import { pinRoot } from "../sources/root-pins.ts";
import { claimName } from "../state/claim.ts";
import { type ContainerPlaces, placesOf } from "../state/layout.ts";
import { makeDirectories, makeLog } from "../state/make-directories.ts";
import { type CompleteRecord, type ContainerRecord, writeRecord } from "../state/record.ts";
import type { ContainerID, ModuleCallOptions } from "../types.ts";
import { checkRequest, type RunRequest } from "./check-request.ts";
import type { ModuleContext } from "./context.ts";
import { DEFAULT_LOG, DEFAULT_RESTART } from "./defaults.ts";
import { tearDown } from "./tear-down.ts";

/**
 * Creates a container and starts it. What a failure has made is undone.
 * @throws HuskError as `ContainerModule.run` tells
 */
export async function runContainer(context: ModuleContext, request: RunRequest): Promise<ContainerID> {
  const { signal } = request.options;
  throwIfAborted(signal);
  const record = newRecord(context, request, checkRequest(request));
  context.backend.check(record);
  const places = placesOf(context.directories, request);
  using _ = await claimName(context.directories.stateRoot, places, record);
  const hadLog = existsSync(places.log);
  try {
    const complete = await getRoot(context, places, record, request);
    throwIfAborted(signal);
    await startContainer(context, places, complete, { signal });
    return request.name;
  } catch (error) {
    // A log that was there before is that of containers that did run.
    await undo(context, places, { removeLog: !hadLog });
    throw error;
  }
}

function newRecord({ backend }: ModuleContext, request: RunRequest, networkPath?: string): ContainerRecord {
  const { ns, name, flist, tags, mounts, network, options } = request;
  return {
    version: 1,
    ...{ ns, name, flist, tags, mounts },
    ...(network ? { network: network.namespace, networkPath } : {}),
    memory: options.memory,
    cpus: options.cpus,
    log: options.log ?? DEFAULT_LOG,
    restart: options.restart ?? DEFAULT_RESTART,
    backend: backend.record,
    createdAt: new Date().toISOString(),
  };
}

/** Gets the root file system, which from then on stays as long as the container does, and finds what is to run in it. */
async function getRoot(
  { sources }: ModuleContext,
  places: ContainerPlaces,
  record: ContainerRecord,
  request: RunRequest,
): Promise<CompleteRecord> {
  using root = await shareRoot(record.flist, { ...sources, signal: request.options.signal });
  if (root.fingerprint !== undefined) pinRoot(root.path, places.directory);
  const { entrypoint, env, options } = request;
  const command = findCommand({ entrypoint, env, cwd: options.cwd }, root.path);
  const complete = { ...record, command: { ...command, root: root.path } };
  writeRecord(places.record, complete);
  return complete;
}

async function startContainer(
  { backend, shim }: ModuleContext,
  places: ContainerPlaces,
  record: CompleteRecord,
  options: ModuleCallOptions,
): Promise<void> {
  makeDirectories(places);
  makeLog(places);
  await backend.prepare(places, record, options);
  writePlan(places, record, backend);
  const { commandTimeoutMs } = backend.commands(places, record);
  await startShim(places, {
    program: shim,
    timeoutMs: startTimeoutMs(commandTimeoutMs),
    signal: options.signal,
  });
}

/** The error that led here is the one to tell. What cannot be undone is found, and undone, when a module is opened. */
async function undo(
  context: ModuleContext,
  places: ContainerPlaces,
  { removeLog }: { removeLog: boolean },
): Promise<void> {
  try {
    await tearDown(context, places, { graceMs: 0, removeLog });
  } catch (problem) {
    if (problem instanceof HuskError) context.warn(problem, places);
    else throw problem;
  }
}

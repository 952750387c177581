import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { HuskError } from "@husk/virtcontainers";
import {
  FileLock,
  identifyProcess,
  isProcessAlive,
  lockDescriptor,
  messageOf,
  openLockFile,
  systemCode,
} from "@husk/virtcontainers/internals";
import { type ContainerPlaces, stagingDirectory } from "./layout.ts";
import { type ContainerRecord, writeRecord } from "./record.ts";

/** Directory of a claim that is being made: process id and start time of who makes it. */
const STAGING_NAME = /^(\d+)-(\d+)-[0-9a-f]+$/;

/**
 * Claims the name of a container, before anything else happens. Its directory comes into being by one rename(2), which
 * cannot replace one that holds something: locked, and with a description in it.
 * @param record none: nobody is told of a container, only the name is taken
 * @returns the container's lock
 * @throws HuskError ERR_CONTAINER_EXISTS, ERR_STORE, ERR_LOCK
 */
export async function claimName(
  stateRoot: string,
  places: ContainerPlaces,
  record?: Omit<ContainerRecord, "version">,
): Promise<FileLock> {
  const staging = join(stagingDirectory(stateRoot), stagingName());
  try {
    mkdirSync(staging, { recursive: true, mode: 0o700 });
    const lock = new FileLock(openLockFile(join(staging, "lock")));
    try {
      if (record) writeRecord(join(staging, "container.json"), record);
      // Nobody else knows of it: there is nobody to wait for.
      await lockDescriptor(lock.fd, { mode: "exclusive", wait: false });
      publish(staging, places);
      return lock;
    } catch (error) {
      lock.release();
      throw error;
    }
  } catch (error) {
    rmSync(staging, { recursive: true, force: true });
    if (error instanceof HuskError) throw error;
    throw new HuskError("ERR_STORE", `${places.directory} cannot be made: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** A namespace without containers may be removed at any time by who has deleted its last one. */
function publish(staging: string, { ns, name, directory }: ContainerPlaces): void {
  for (;;) {
    mkdirSync(dirname(directory), { recursive: true, mode: 0o700 });
    try {
      renameSync(staging, directory);
      return;
    } catch (error) {
      const code = systemCode(error);
      if (code === "ENOTEMPTY" || code === "EEXIST") {
        throw new HuskError("ERR_CONTAINER_EXISTS", `there is a container "${name}" in "${ns}" already`, {
          containerId: name,
        });
      }
      if (code !== "ENOENT") throw error;
    }
  }
}

function stagingName(): string {
  const startTime = identifyProcess(process.pid)?.startTime ?? "0";
  return `${process.pid}-${startTime}-${randomBytes(6).toString("hex")}`;
}

/** Removes claims whose makers have died. */
export function clearStaging(stateRoot: string): void {
  const staging = stagingDirectory(stateRoot);
  for (const name of readNames(staging)) {
    const [, pid, startTime] = STAGING_NAME.exec(name) ?? [];
    if (!pid || !startTime || isProcessAlive({ pid: Number(pid), startTime })) continue;
    rmSync(join(staging, name), { recursive: true, force: true });
  }
}

/** What is in a directory; of one that is not there, nothing. */
export function readNames(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return [];
    throw error;
  }
}

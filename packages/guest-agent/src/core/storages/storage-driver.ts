/** What the drivers of storages have in common. */

import type { Storage } from "@husk/wire/kata";
import { StatusCode, TtrpcError } from "@husk/wire/ttrpc";
import type { UndoStack } from "../undo-stack.ts";

/**
 * Makes a storage what its mount point shows. What it makes, it tells how to take back at once.
 *
 * @throws TtrpcError for a storage that cannot be; Error for what the guest lacks
 */
export type StorageDriver = (storage: Storage, undo: UndoStack) => void | Promise<void>;

/** A storage that is not described well. */
export function badStorage(problem: string): TtrpcError {
  return new TtrpcError(StatusCode.INVALID_ARGUMENT, problem);
}

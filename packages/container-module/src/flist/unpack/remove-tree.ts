import { rm } from "node:fs/promises";
import { runCommand } from "@husk/virtcontainers/internals";
import { isRoot } from "./attributes.ts";

/** Removes a directory and all that is in it, also what its modes keep its own owner from. */
export async function removeTree(path: string): Promise<void> {
  // What cannot be opened up for us tells of itself when it is removed.
  if (!isRoot()) await runCommand("chmod", ["-R", "u+rwX", path], {});
  await rm(path, { recursive: true, force: true });
}

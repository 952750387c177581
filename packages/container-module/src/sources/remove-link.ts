import { unlinkSync } from "node:fs";
import { systemCode } from "@husk/virtcontainers/internals";

/** Removes a symbolic link, if it is there; `rmSync` of Node would look at what it leads to. */
export function removeLink(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
}

import * as sys from "tiny:sys";
import { listenUnixPrivately } from "@husk/tiny";
import { removeIfThere } from "./remove-if-there.ts";

/** A listening socket in the place of whatever has that path: who connects finds either the old one or this. */
export function listenAt(path: string, backlog: number): number {
  const made = `${path}.new`;
  removeIfThere(made);
  const fd = listenUnixPrivately(made, backlog);
  try {
    sys.rename(made, path);
    return fd;
  } catch (error) {
    sys.close(fd);
    throw error;
  }
}

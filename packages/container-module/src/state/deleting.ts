import { existsSync, readFileSync } from "node:fs";
import { systemCode, writeFileAtomically } from "@husk/virtcontainers/internals";
import type { ContainerPlaces } from "./layout.ts";

const STUCK = "stuck\n";

type Marked = Pick<ContainerPlaces, "deleting">;

/** Notes that a container is being deleted: from now on, nobody starts it again, whatever becomes of us. */
export function markDeleting({ deleting }: Marked): void {
  if (!existsSync(deleting)) writeFileAtomically(deleting, "");
}

/** Notes that its process cannot be ended, so that it is tried again only when somebody asks. */
export function markStuck({ deleting }: Marked): void {
  writeFileAtomically(deleting, STUCK);
}

/** Whether a container is being deleted, or was when somebody died or gave up. */
export function readDeleting({ deleting }: Marked): "no" | "yes" | "stuck" {
  try {
    return readFileSync(deleting, "utf8") === STUCK ? "stuck" : "yes";
  } catch (error) {
    if (systemCode(error) === "ENOENT") return "no";
    throw error;
  }
}

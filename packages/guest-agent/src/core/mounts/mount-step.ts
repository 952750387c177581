import { errorText } from "@husk/tiny/errors";

/** Gives the name that a path of the guest has for a child whose root is the container's. */
export type GuestPath = (path: string) => string;

/** One mount of a container: what it needs of the guest has been found before the fork, the rest is done in the child. */
export interface MountStep {
  /** path of the mount point in the container */
  destination: string;
  /** In the child, whose root is the container's. */
  mount(guest: GuestPath): void;
}

function namesOf(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}

/** The order in which none is covered by another: as they came, but each after those that it is in. */
export function orderSteps(steps: readonly MountStep[]): MountStep[] {
  const byPath = new Map<string, MountStep[]>();
  for (const step of steps) {
    const path = namesOf(step.destination).join("/");
    byPath.set(path, [...(byPath.get(path) ?? []), step]);
  }
  const ordered = new Set<MountStep>();
  const place = (step: MountStep) => {
    const names = namesOf(step.destination);
    for (let length = 1; length < names.length; length++)
      for (const above of byPath.get(names.slice(0, length).join("/")) ?? []) ordered.add(above);
    ordered.add(step);
  };
  for (const step of steps) place(step);
  return [...ordered];
}

/** Does them all. @throws Error that names the one that could not be done */
export function mountAll(steps: readonly MountStep[], guest: GuestPath): void {
  for (const step of steps) {
    try {
      step.mount(guest);
    } catch (error) {
      throw new Error(`mount "${step.destination}": ${errorText(error)}`);
    }
  }
}

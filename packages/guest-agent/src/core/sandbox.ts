/** What the containers of a pod share, and what can be there before it is known which pod it will be. */

import * as sys from "tiny:sys";
import { errorText, MNT_DETACH, MS_NODEV, MS_NOEXEC, MS_NOSUID, makeDirectories } from "@husk/tiny";
import { log } from "../log.ts";
import { mountCgroups } from "./cgroup/hierarchy.ts";
import { podPaths } from "./paths.ts";
import { PodInit } from "./pod-init.ts";

/** Made for a pod that is not known yet. */
let inStock: Promise<Sandbox> | undefined;
/** whether there is to be one whenever there is no pod */
let isStocked = false;

/** See the head of the file. */
export class Sandbox {
  readonly init: PodInit;

  private constructor(init: PodInit) {
    this.init = init;
  }

  /** Makes one, or takes the one in stock. */
  static async start(): Promise<Sandbox> {
    const stocked = inStock;
    inStock = undefined;
    return (await stocked?.catch(() => undefined)) ?? Sandbox.#make();
  }

  static async #make(): Promise<Sandbox> {
    makeDirectories(podPaths.shm);
    sys.mount("shm", podPaths.shm, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777");
    try {
      mountCgroups();
      return new Sandbox(await PodInit.start());
    } catch (error) {
      sys.umount(podPaths.shm, MNT_DETACH);
      throw error;
    }
  }

  /** Makes one for the first pod, and lets `restock` make one for each that follows. */
  static async stock(): Promise<void> {
    isStocked = true;
    await Sandbox.restock();
  }

  /** Makes one for the next pod. That it cannot be made is told when the pod cannot be. */
  static async restock(): Promise<void> {
    if (!isStocked) return;
    sys.reserveMemory();
    inStock ??= Sandbox.#make();
    await inStock.catch((error: unknown) => log("error", `no sandbox in advance: ${errorText(error)}`));
  }

  async end(): Promise<void> {
    await this.init.end();
    sys.umount(podPaths.shm, MNT_DETACH);
  }
}

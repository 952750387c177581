import { makeTrafficRoot as makeRoot, type TrafficRoot } from "@husk/tiny/traffic";
import { DEMO_ROOTFS } from "./places.ts";

/** Makes a root file system in a folder, of the demo's, for containers that have to move bytes over networks. */
export function makeTrafficRoot(folder: string): Promise<TrafficRoot> {
  return makeRoot(DEMO_ROOTFS, folder);
}

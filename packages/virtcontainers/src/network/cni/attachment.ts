import type { NetworkList } from "./configuration.ts";
import type { CniResult } from "./result.ts";

/** A network that a pod has joined, or was about to join, by CNI plugins. */
export interface CniAttachment {
  /** name of the network */
  readonly network: string;
  /** name of the interface in the namespace */
  readonly ifName: string;
  /** the network's configuration as it was then: DEL and CHECK get what ADD got */
  readonly configuration: NetworkList;
  /** what plugins are told at run time, by the name of the capability that they must have */
  readonly capabilityArgs?: Readonly<Record<string, unknown>>;
  /** more arguments for plugins, `KEY=VALUE;…` */
  readonly args?: string;
  /** what plugins know the pod by; missing: its uuid */
  readonly containerId?: string;
  /** number of plugins whose ADD has ended well; missing: none */
  added?: number;
  /** the result of the last of those, as it came */
  result?: CniResult;
}

/** Whether the network has been joined, by all of its plugins. */
export function isJoined({ configuration, added }: CniAttachment): boolean {
  return added === configuration.plugins.length;
}

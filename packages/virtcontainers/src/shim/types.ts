import type { ShimType } from "../types/index.ts";

/** The process in the guest that a shim stands for. */
interface ShimTarget {
  readonly containerId: string;
  /** name by which the shim asks for the process: cc-proxy's token, or the id of a process of Kata's agent */
  readonly token: string;
  readonly terminal: boolean;
  /** socket of the pod's proxy */
  readonly proxySocket: string;
}

/** A kind of shim: the process on the host that stands for a process in the guest. */
export interface ShimKind {
  readonly type: ShimType;
  /** The command line of its program for a process; undefined: it is no program, and the caller carries the streams. */
  command(target: ShimTarget): readonly string[] | undefined;
}

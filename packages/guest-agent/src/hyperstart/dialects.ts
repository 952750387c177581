/** What differs between the dialects of the protocol, in one place. Reference: hyperstart.md 0 and 2. */
import { API_VERSION, type DialectName, recognizeDialect } from "@husk/wire/hyperstart";
import { log } from "../log.ts";

/** How an agent of a dialect behaves, where agents differ. */
export interface Dialect {
  /** what GETVERSION gives; absent: there is no such command */
  apiVersion?: number;
  /** whether GETPOD is acknowledged, with nothing */
  hasGetPod: boolean;
  /** whether EXECCMD must name its process */
  needsProcessId: boolean;
  /** how the end of a process is told: PROCESSASYNCEVENT, or its code in a frame behind the end of its output */
  exitReport: "event" | "frame";
  /** whether a container that has ended stays known until REMOVECONTAINER */
  keepsEnded: boolean;
  /** whether it is well to signal or resize what has ended */
  toleratesEnded: boolean;
  /** whether CPUs that are plugged in come online without ONLINECPUMEM */
  onlinesUnasked: boolean;
  /** whether DESTROYPOD switches the machine off */
  powersOff: boolean;
}

const DIALECTS: Record<DialectName, Dialect> = {
  hyperstart: {
    apiVersion: API_VERSION,
    hasGetPod: false,
    needsProcessId: true,
    exitReport: "event",
    keepsEnded: false,
    toleratesEnded: false,
    onlinesUnasked: false,
    powersOff: true,
  },
  "clear-containers-2": {
    apiVersion: 4242,
    hasGetPod: true,
    needsProcessId: false,
    exitReport: "frame",
    keepsEnded: false,
    toleratesEnded: true,
    onlinesUnasked: false,
    powersOff: true,
  },
  // Its host ends the machine itself, and takes one that went before for a failure.
  "clear-containers-3": {
    hasGetPod: false,
    needsProcessId: false,
    exitReport: "frame",
    keepsEnded: true,
    toleratesEnded: true,
    onlinesUnasked: true,
    powersOff: false,
  },
};

/** The dialect of this agent's host: hyperstart's until the host gives itself away, then as it is for good. */
export class HostDialect {
  #known: DialectName | undefined;

  /** What the host is taken for. */
  get current(): Dialect {
    return DIALECTS[this.#known ?? "hyperstart"];
  }

  /** Looks at a command before it is done. */
  observe(command: number, payload: Uint8Array): void {
    if (this.#known) return;
    this.#known = recognizeDialect(command, payload);
    if (this.#known) log("info", `the host speaks the dialect of ${this.#known}`);
  }
}

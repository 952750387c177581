import type { PodDirectory } from "../store/pod-directory.ts";
import type { ProxyType } from "../types/index.ts";

/** Whose proxy it is. */
interface ProxyPlace {
  readonly podId: string;
  readonly directory: PodDirectory;
}

/** A kind of proxy: what carries many callers' words to the agent of one VM. */
export interface ProxyKind {
  readonly type: ProxyType;
  /** The command line of its program for a pod; undefined: it is no program, and callers go to the VM themselves. */
  command(place: ProxyPlace): readonly string[] | undefined;
  /** What its program is to find in `proxyState` when the agent of the VM serves already; missing: it need not know. */
  servingState?(place: ProxyPlace): string;
  /** Asks it, at the orderly end of its VM, to let go of that; it then ends. Missing: it ends with its VM, or by SIGTERM. */
  letGo?(place: ProxyPlace, timeoutMs: number): Promise<void>;
}

/** How the proxy of a pod is started, as its `proxy.json` has it for whoever finds the proxy dead. */
export interface ProxyCommand {
  /** program and arguments, without those that tell descriptors */
  readonly argv: readonly string[];
  /** path of the file that it holds locked as long as it lives */
  readonly lock: string;
  /** path of the socket that it serves */
  readonly socket: string;
  /** path of the file that gets what it says */
  readonly log: string;
}

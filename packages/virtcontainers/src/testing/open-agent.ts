import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { DirectTransport } from "../agent/hyperstart/direct-transport.ts";
import { HyperstartAgent } from "../agent/hyperstart/index.ts";
import type { HyperstartSession } from "../agent/hyperstart/session.ts";
import type { OpenOptions } from "../agent/types.ts";
import { HuskError } from "../errors/index.ts";
import { PodDirectory } from "../store/pod-directory.ts";
import { FakeHyperstart } from "./fake-hyperstart.ts";
import { makeTempRoot } from "./temp-root.ts";

/** A fake agent, and how sessions with it are opened. */
export interface AgentBench {
  readonly directory: PodDirectory;
  readonly peer: FakeHyperstart;
  /** ends of processes that sessions told: `container/process/status` */
  readonly exits: string[];
  open(options?: Partial<OpenOptions>): Promise<HyperstartSession>;
}

/** Makes a pod's directory with a fake agent behind its sockets. */
export async function makeAgentBench(
  test: TestContext,
  options: { ready?: boolean } = {},
): Promise<AgentBench> {
  const directory = makePodDirectory(test);
  const peer = await FakeHyperstart.listen(directory, options);
  test.after(() => peer.close());
  const exits: string[] = [];
  const open = async (more: Partial<OpenOptions> = {}) => {
    const session = await new HyperstartAgent().open({ ...openOptions(directory, exits), ...more });
    if (!session) throw new Error("no session");
    test.after(() => session.close());
    return session;
  };
  return { directory, peer, exits, open };
}

/** The transport of a session that goes over the agent's channels. */
export function directOf({ transport }: HyperstartSession): DirectTransport {
  if (transport instanceof DirectTransport) return transport;
  throw new Error("the session goes another way");
}

/** The directory of a pod. */
export function makePodDirectory(test: TestContext): PodDirectory {
  const directory = new PodDirectory(join(makeTempRoot(test).base, "pod"));
  mkdirSync(directory.path);
  return directory;
}

/** How a session is opened that notes what it is told. */
export function openOptions(directory: PodDirectory, exits: string[]): OpenOptions {
  return {
    directory,
    deadlineFactor: 4,
    fresh: false,
    events: {
      onExit: (container, process, code) => exits.push(`${container}/${process}/${code}`),
      onClosed: () => {},
    },
    runningContainers: () => [],
    describeLoss: async (viaRelay) =>
      new HuskError(viaRelay ? "ERR_AGENT_DISCONNECTED" : "ERR_VM_LOST", "the channels have closed"),
  };
}

import type { TestContext } from "node:test";
import { KataAgentKind } from "../agent/kata/index.ts";
import type { KataSession } from "../agent/kata/session.ts";
import type { OpenOptions } from "../agent/types.ts";
import type { PodDirectory } from "../store/pod-directory.ts";
import type { KataAgentConfig } from "../types/index.ts";
import { FakeKata } from "./fake-kata.ts";
import { makePodDirectory, openOptions } from "./open-agent.ts";

/** A fake Kata agent, and how sessions with it are opened. */
export interface KataBench {
  readonly directory: PodDirectory;
  readonly peer: FakeKata;
  /** ends of processes that sessions told: `container/process/status` */
  readonly exits: string[];
  open(options?: Partial<OpenOptions>, config?: KataAgentConfig): Promise<KataSession>;
}

/** Makes a pod's directory with a fake agent behind its socket. */
export async function makeKataBench(test: TestContext): Promise<KataBench> {
  const directory = makePodDirectory(test);
  const peer = await FakeKata.listen(directory);
  test.after(() => peer.close());
  const exits: string[] = [];
  const open = async (more: Partial<OpenOptions> = {}, config: KataAgentConfig = {}) => {
    const session = await new KataAgentKind(config).open({ ...openOptions(directory, exits), ...more });
    if (!session) throw new Error("no session");
    test.after(() => session.close());
    return session;
  };
  return { directory, peer, exits, open };
}

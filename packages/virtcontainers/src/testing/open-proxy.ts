import type { TestContext } from "node:test";
import { HyperstartAgent } from "../agent/hyperstart/index.ts";
import type { HyperstartSession } from "../agent/hyperstart/session.ts";
import type { OpenOptions } from "../agent/types.ts";
import { HuskError } from "../errors/index.ts";
import type { PodDirectory } from "../store/pod-directory.ts";
import { FakeCcProxy, type FakeProxiedProcess } from "./fake-cc-proxy.ts";
import { makePodDirectory, openOptions } from "./open-agent.ts";

/** What a session of the bench below tells when its proxy has died. */
export const PROXY_LOST = new HuskError("ERR_AGENT_DISCONNECTED", "the pod's proxy has ended");

/** A fake proxy, and how sessions by it are opened. */
export interface ProxyBench {
  readonly directory: PodDirectory;
  readonly socket: string;
  readonly proxy: FakeCcProxy;
  /** ends of processes that sessions told: `container/process/status` */
  readonly exits: string[];
  open(options?: Partial<OpenOptions>): Promise<HyperstartSession>;
}

/** Makes a pod's directory with a fake proxy. */
export async function makeProxyBench(test: TestContext): Promise<ProxyBench> {
  const directory = makePodDirectory(test);
  const socket = directory.socket("proxy");
  const proxy = await FakeCcProxy.listen(socket);
  test.after(() => proxy.close());
  const exits: string[] = [];
  const open = async (more: Partial<OpenOptions> = {}) => {
    const options = { ...openOptions(directory, exits), describeLoss: async () => PROXY_LOST, ...more };
    const session = await new HyperstartAgent().open({ ...options, proxySocket: socket });
    if (!session) throw new Error("no session");
    test.after(() => session.close());
    return session;
  };
  return { directory, socket, proxy, exits, open };
}

/** The next process that is started. */
export function nextProcess(proxy: FakeCcProxy): Promise<FakeProxiedProcess> {
  return new Promise((resolve) => {
    proxy.program = resolve;
  });
}

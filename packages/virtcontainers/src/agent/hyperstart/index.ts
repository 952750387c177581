import type { Agent, OpenOptions } from "../types.ts";
import { openThroughProxy } from "./cc-proxy/open-through-proxy.ts";
import { openDirectly } from "./open-directly.ts";
import type { HyperstartSession } from "./session.ts";

/** The agent hyperstart, in its upstream dialect (API 4244), over two virtio-serial ports. */
export class HyperstartAgent implements Agent {
  readonly type = "hyperstart";
  readonly ports = [
    { name: "sh.hyper.channel.0", socket: "control" },
    { name: "sh.hyper.channel.1", socket: "stream" },
  ] as const;
  readonly kernelParams = [];
  readonly keepsEnded = false;

  async open(options: OpenOptions): Promise<HyperstartSession | undefined> {
    const { proxySocket } = options;
    return proxySocket === undefined ? openDirectly(options) : openThroughProxy(proxySocket, options);
  }
}

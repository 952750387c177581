import { encodeFirstProxyState } from "@husk/wire/cc-proxy";
import { unregisterVm } from "../agent/hyperstart/cc-proxy/unregister-vm.ts";
import { neededPath } from "../config/resident-programs.ts";
import type { ProxyConfig } from "../types/index.ts";
import type { ProxyKind } from "./types.ts";

/**
 * Clear Containers' proxy, for hyperstart. It is told the VM's sockets when the VM is registered with it, and then waits for an
 * agent that begins; one that serves already it finds as if another proxy had been there.
 */
export function ccProxy(config: ProxyConfig): ProxyKind {
  return {
    type: "ccProxy",
    command: ({ directory }) => [
      neededPath(config, "proxyConfig"),
      "-uri",
      `unix://${directory.socket("proxy")}`,
      "-state-file",
      directory.file("proxyState"),
      ...(config.debug ? ["-log", "debug"] : []),
    ],
    servingState: ({ podId, directory }) =>
      encodeFirstProxyState({
        containerId: podId,
        ctlSerial: directory.socket("control"),
        ioSerial: directory.socket("stream"),
      }),
    letGo: ({ podId, directory }, timeoutMs) => unregisterVm(directory.socket("proxy"), podId, { timeoutMs }),
  };
}

import { unregisterVm } from "../agent/hyperstart/cc-proxy/unregister-vm.ts";
import { neededPath } from "../config/resident-programs.ts";
import type { ProxyConfig } from "../types/index.ts";
import type { ProxyKind } from "./types.ts";

/** Clear Containers' proxy, for hyperstart. It is told the VM's sockets when the VM is registered with it. */
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
    letGo: ({ podId, directory }, timeoutMs) => unregisterVm(directory.socket("proxy"), podId, { timeoutMs }),
  };
}

import { ProxyCommand } from "@husk/wire/cc-proxy";
import { isHuskError } from "../../../errors/index.ts";
import type { CommandOptions } from "../transport.ts";
import { connectProxy } from "./connect-proxy.ts";
import { checkProxyReply } from "./proxy-commands.ts";

/**
 * Has a pod's cc-proxy let go of the VM, and end. A proxy that has ended is no error.
 * @param path its socket
 * @throws HuskError ERR_AGENT_REFUSED, ERR_TIMEOUT, ERR_ABORTED, ERR_AGENT_PROTOCOL
 */
export async function unregisterVm(path: string, podId: string, limits: CommandOptions): Promise<void> {
  try {
    const connection = await connectProxy(path, limits.signal);
    try {
      const reply = await connection.request(ProxyCommand.UNREGISTER_VM, { containerId: podId }, limits);
      checkProxyReply(ProxyCommand.UNREGISTER_VM, reply);
    } finally {
      connection.close();
    }
  } catch (error) {
    if (!isHuskError(error, "ERR_AGENT_DISCONNECTED")) throw error;
  }
}

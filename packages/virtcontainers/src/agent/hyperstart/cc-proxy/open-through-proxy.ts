import type { HuskError } from "../../../errors/index.ts";
import { isHuskError } from "../../../errors/index.ts";
import { deadlineMs } from "../../../hypervisor/deadlines.ts";
import { waitReady } from "../../ready.ts";
import type { OpenOptions } from "../../types.ts";
import { checkVersion } from "../check-version.ts";
import { HyperstartSession } from "../session.ts";
import { connectProxy } from "./connect-proxy.ts";
import { attachVm, registerVm } from "./proxy-commands.ts";
import type { ProxyConnection } from "./proxy-connection.ts";
import { ProxyEndpoint } from "./proxy-endpoint.ts";
import { ProxyTransport } from "./proxy-transport.ts";

/**
 * Opens a session by the pod's cc-proxy. A new VM is handed to the proxy, which then waits for its agent.
 * @throws HuskError ERR_BOOT_TIMEOUT, ERR_VM_LOST, ERR_AGENT_VERSION, ERR_AGENT_DISCONNECTED when nobody serves the socket, …
 */
export async function openThroughProxy(path: string, options: OpenOptions): Promise<HyperstartSession> {
  const { signal } = options;
  const endpoint = new ProxyEndpoint(path, options);
  const connection = await connectProxy(path, signal, endpoint.guestEvents);
  try {
    if (options.fresh) await register(connection, endpoint, options);
    else await attach(connection, endpoint, options);
  } catch (error) {
    connection.close();
    throw error;
  }
  const session = new HyperstartSession(
    options,
    (events) => new ProxyTransport(endpoint, connection, events),
  );
  try {
    await checkVersion(session.transport, { ...endpoint.limits, signal });
    return session;
  } catch (error) {
    session.close();
    throw error;
  }
}

async function attach(
  connection: ProxyConnection,
  { podId, limits }: ProxyEndpoint,
  { signal }: OpenOptions,
): Promise<void> {
  await attachVm(connection, podId, { ...limits, signal });
}

/** A proxy that was brought back while the VM booted may have the VM already, and then the agent is ready. */
async function register(
  connection: ProxyConnection,
  endpoint: ProxyEndpoint,
  options: OpenOptions,
): Promise<void> {
  const { directory, deadlineFactor } = options;
  const vm = {
    containerId: endpoint.podId,
    ctlSerial: directory.socket("control"),
    ioSerial: directory.socket("stream"),
  };
  const ms = deadlineMs("boot", deadlineFactor);
  try {
    await waitReady(registerVm(connection, vm), { what: "READY", ms }, options);
  } catch (refusal) {
    if (!isHuskError(refusal, "ERR_AGENT_REFUSED")) throw refusal;
    await attach(connection, endpoint, options).catch(() => explainRefusal(refusal, options));
  }
}

/** The proxy's words about a VM that has ended are not what a caller needs to hear. */
async function explainRefusal(refusal: HuskError, options: OpenOptions): Promise<never> {
  const loss = await options.describeLoss(true);
  throw loss.code === "ERR_VM_LOST" ? loss : refusal;
}

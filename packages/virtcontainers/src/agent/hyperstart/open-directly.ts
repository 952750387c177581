import { isHuskError } from "../../errors/index.ts";
import { deadlineMs } from "../../hypervisor/deadlines.ts";
import { openChannel } from "../channel.ts";
import { waitReady } from "../ready.ts";
import type { OpenOptions } from "../types.ts";
import { CHANNEL_WAYS } from "./channels.ts";
import { checkVersion } from "./check-version.ts";
import { DirectTransport } from "./direct-transport.ts";
import { RelayServer } from "./relay-server.ts";
import { HyperstartSession } from "./session.ts";

/**
 * How often the channels are connected to before an agent that does not answer is given up. With owners that come and go,
 * a new one was once left without any answer; why is not known.
 */
const TAKE_OVERS = 3;

/**
 * Opens a session over the agent's channels, and is sure that the agent answers.
 * @returns undefined only with `onlyOwner`, when another process holds the channels
 */
export async function openDirectly(
  options: OpenOptions,
  attempts: number = options.fresh ? 1 : TAKE_OVERS,
): Promise<HyperstartSession | undefined> {
  const { directory, fresh, atRest = false, signal, onlyOwner, deadlineFactor } = options;
  const timeoutMs = deadlineMs(fresh ? "boot" : "agentCommand", deadlineFactor);
  const channel = await openChannel(CHANNEL_WAYS, { directory, fresh, signal, onlyOwner, timeoutMs });
  if (!channel) return undefined;
  const { ends, lock } = channel;
  const isOwner = lock !== undefined;
  // To find where frames begin takes a while, so it is not done where that is known, unless the agent does not answer.
  const takeOver = isOwner && !fresh && !(atRest && attempts === TAKE_OVERS);
  const session = new HyperstartSession(
    options,
    (events) => new DirectTransport(ends, events, { isOwner, takeOver, deadlineFactor }),
  );
  const { transport } = session;
  if (lock) transport.onClose(() => lock.release());
  try {
    if (lock) await new RelayServer(transport, directory).listen();
    if (fresh) await waitReady(transport.ready, { what: "READY", ms: timeoutMs }, options);
    const share = isOwner && !fresh ? TAKE_OVERS : 1;
    await checkVersion(transport, { timeoutMs: transport.deadline("agentCommand") / share, signal });
    return session;
  } catch (error) {
    session.close();
    if (!isOwner || fresh || attempts === 1 || !isHuskError(error, "ERR_TIMEOUT")) throw error;
  }
  return openDirectly(options, attempts - 1);
}

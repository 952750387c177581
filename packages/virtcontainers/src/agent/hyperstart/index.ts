import { API_VERSION, Command, decodeVersion } from "@husk/wire/hyperstart";
import { HuskError, isHuskError } from "../../errors/index.ts";
import { deadlineMs } from "../../hypervisor/deadlines.ts";
import { openChannel } from "../channel.ts";
import { waitReady } from "../ready.ts";
import type { Agent, OpenOptions } from "../types.ts";
import { CHANNEL_WAYS } from "./channels.ts";
import { type ConnectionEvents, HyperstartConnection } from "./connection.ts";
import { RelayServer } from "./relay-server.ts";
import { HyperstartSession } from "./session.ts";

/**
 * How often the channels are connected to before an agent that does not answer is given up. With owners that come and go,
 * a new one was once left without any answer; why is not known.
 */
const TAKE_OVERS = 3;

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
    return connectSession(options, options.fresh ? 1 : TAKE_OVERS);
  }
}

/** Connects to the agent, and is sure that it answers. */
async function connectSession(
  options: OpenOptions,
  attempts: number,
): Promise<HyperstartSession | undefined> {
  const { directory, fresh, signal, onlyOwner } = options;
  const timeoutMs = deadlineMs(fresh ? "boot" : "agentCommand", options.deadlineFactor);
  const channel = await openChannel(CHANNEL_WAYS, { directory, fresh, signal, onlyOwner, timeoutMs });
  if (!channel) return undefined;
  const { ends, lock } = channel;
  const { control, stream } = ends;
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => {});
  const events = eventsFor(() => session, ready);
  const takeOver = lock !== undefined && !fresh;
  const connection = new HyperstartConnection(control, stream, events, { takeOver });
  const session = new HyperstartSession(connection, lock !== undefined, options);
  if (lock) session.onClose(() => lock.release());
  try {
    if (lock) await new RelayServer(session, directory).listen();
    if (fresh) await waitReady(ready.promise, { what: "READY", ms: timeoutMs }, options);
    await checkVersion(session, options, takeOver ? TAKE_OVERS : 1);
    return session;
  } catch (error) {
    session.close();
    if (!takeOver || attempts === 1 || !isHuskError(error, "ERR_TIMEOUT")) throw error;
  }
  return connectSession(options, attempts - 1);
}

/** What the connection tells goes to the session; the end also ends the wait for READY. */
function eventsFor(session: () => HyperstartSession, ready: PromiseWithResolvers<void>): ConnectionEvents {
  return {
    onReady: () => ready.resolve(),
    onEvent: (event) => session().takeEvent(event),
    onStream: (frame) => session().router.route(frame),
    onControlEnded: () => void session().takeControlEnd(),
    onClosed: (error) => {
      ready.reject(error ?? new HuskError("ERR_AGENT_DISCONNECTED", "the VM has ended"));
      void session().takeClosed(error);
    },
  };
}

/** The version is asked first: it also tells the agent which dialect is spoken. `share`: part of the deadline. */
async function checkVersion(session: HyperstartSession, options: OpenOptions, share: number): Promise<void> {
  const limits = { timeoutMs: session.deadline("agentCommand") / share, signal: options.signal };
  const reply = await session.connection.request(Command.GETVERSION, undefined, limits);
  const version = reply.ok ? decodeVersion(reply.payload) : undefined;
  if (version === API_VERSION) return;
  const told = version === undefined ? "does not tell its version" : `has API version ${version}`;
  throw new HuskError("ERR_AGENT_VERSION", `the guest's agent ${told}; needed is ${API_VERSION}`);
}

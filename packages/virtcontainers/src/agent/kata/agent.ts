import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { HuskError, isHuskError, systemCode } from "../../errors/index.ts";
import { GrpcConnection } from "../../grpc/grpc-connection.ts";
import { type DeadlineName, deadlineMs } from "../../hypervisor/deadlines.ts";
import type { FileLock } from "../../store/flock.ts";
import type { PodDirectory } from "../../store/pod-directory.ts";
import type { KataAgentConfig } from "../../types/index.ts";
import { type ChannelWays, openChannel } from "../channel.ts";
import { waitReady } from "../ready.ts";
import { connectSocket } from "../socket.ts";
import type { OpenOptions } from "../types.ts";
import { KataCalls } from "./calls.ts";
import { KataClient } from "./client.ts";
import { SHARED_DIRECTORY } from "./guest-paths.ts";
import { RelayServer } from "./relay-server.ts";
import { takeOver } from "./take-over.ts";
import { TtrpcConnection } from "./ttrpc-connection.ts";
import { YamuxLink } from "./yamux-link.ts";

/** The agent's port in the VM. */
export const AGENT_PORT = { name: "agent.channel.0", socket: "kata" } as const;

/** How often a port is connected to before an agent that does not answer is given up. */
const TAKE_OVERS = 3;

/** The ways to the agent: its port, on which many streams are, or one stream of an owner's. */
const WAYS: ChannelWays<Socket> = {
  connectVm: (directory, signal) => connectSocket(directory.socket("kata"), signal),
  connectRelay: async (directory, { signal }) => {
    try {
      return await connectSocket(directory.socket("relayKata"), signal);
    } catch (error) {
      if (isHuskError(error)) throw error;
      return undefined;
    }
  },
};

/** @throws HuskError ERR_AGENT_DISCONNECTED when nobody serves the socket, ERR_ABORTED */
async function connectProxy(path: string, signal: AbortSignal | undefined): Promise<Socket> {
  try {
    return await connectSocket(path, signal);
  } catch (error) {
    if (isHuskError(error)) throw error;
    const text = `nobody serves the socket of the pod's proxy (${systemCode(error)})`;
    throw new HuskError("ERR_AGENT_DISCONNECTED", text, { cause: error });
  }
}

/** Whose agent it is, and how it is spoken with. */
interface AgentPlace {
  readonly directory: PodDirectory;
  readonly config: KataAgentConfig;
  readonly deadlineFactor: number;
}

/**
 * The agent of one VM: the methods of the seed's `agent` interface by their names. Those that are calls to the guest are
 * in `KataCalls`; `docs/kata-agent.md` has a table of all. Go: `kataAgent`.
 */
export class KataAgent extends KataCalls {
  #place: AgentPlace | undefined;
  #client: KataClient | undefined;
  #link: YamuxLink | undefined;
  #proxy: { url: string; pid: number } | undefined;
  #isOwner = false;

  /** Says whose agent it is. Nothing is connected yet. */
  init(place: AgentPlace): void {
    this.#place = place;
  }

  /** What pods with this agent can have. */
  capabilities(): { readonly blockDevice: boolean; readonly fsSharing: boolean } {
    return { blockDevice: true, fsSharing: true };
  }

  /** whether the connection has ended, or was never made */
  get closed(): boolean {
    return this.#client?.closed ?? true;
  }

  /** whether this process holds the agent's port */
  get isOwner(): boolean {
    return this.#isOwner;
  }

  /** Calls `closer` when the connection has ended. */
  onClose(closer: () => void): void {
    this.client.onClose(closer);
  }

  /** Ends the connection, and lets the port go if it is ours. */
  disconnect(): void {
    this.#client?.close();
    this.#link?.close();
  }

  /**
   * Connects to the agent: by a proxy that has its port; or takes the port, and offers streams of it to other processes; or
   * takes a stream of the process that has it.
   * @param onLeave is called when another process has gone that used the port
   * @returns whether there is a connection now; false only with `onlyOwner`, when another process has the port
   * @throws HuskError ERR_BOOT_TIMEOUT, ERR_VM_LOST, ERR_AGENT_DISCONNECTED, ERR_TIMEOUT, ERR_ABORTED
   */
  async startProxy(options: OpenOptions, onLeave: () => void): Promise<boolean> {
    const { fresh } = options;
    const timeoutMs = this.deadline(fresh ? "boot" : "agentCommand");
    const end = performance.now() + timeoutMs;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#connect(options, { timeoutMs, end }, onLeave);
      } catch (error) {
        this.disconnect();
        if (!this.#mayTryAgain(error, options, attempt) || performance.now() > end) throw error;
      }
    }
  }

  /** An owner that goes leaves others without a connection; a new owner may find a port in disorder. */
  #mayTryAgain(error: unknown, { fresh, signal, proxySocket }: OpenOptions, attempt: number): boolean {
    if (fresh || signal?.aborted || proxySocket !== undefined) return false;
    if (this.#isOwner) return attempt < TAKE_OVERS && isHuskError(error, "ERR_TIMEOUT");
    return this.#client !== undefined && isHuskError(error, "ERR_AGENT_DISCONNECTED");
  }

  async #connect(
    options: OpenOptions,
    { timeoutMs, end }: { timeoutMs: number; end: number },
    onLeave: () => void,
  ): Promise<boolean> {
    const { directory, fresh, signal, onlyOwner, proxySocket } = options;
    this.#client = undefined;
    const left = Math.max(1, end - performance.now());
    if (proxySocket !== undefined) {
      await this.#connectProxy(proxySocket, options, left);
      return true;
    }
    const channel = await openChannel(WAYS, { directory, fresh, signal, onlyOwner, timeoutMs: left });
    if (!channel) return false;
    const { ends: socket, lock } = channel;
    this.#isOwner = lock !== undefined;
    if (!lock) {
      this.#client = this.#speak(socket);
      this.setProxy(`unix://${directory.socket("relayKata")}`, 0);
      await this.greet({ signal }, Math.max(1, end - performance.now()));
      return true;
    }
    const share = timeoutMs / TAKE_OVERS;
    const link = await this.#takePort(socket, lock, fresh ? undefined : share, signal);
    await new RelayServer(link, directory, onLeave).listen();
    this.#client = this.#speak(link.open());
    this.setProxy(`unix://${directory.socket("kata")}`, 0);
    const greeted = this.greet({ signal }, fresh ? timeoutMs * 2 : share);
    if (fresh) await waitReady(greeted, { what: "the agent's answer to Version", ms: timeoutMs }, options);
    else await greeted;
    return true;
  }

  /** A proxy has the port: each of its clients has a stream of its own, and owes the others nothing. */
  async #connectProxy(path: string, options: OpenOptions, timeoutMs: number): Promise<void> {
    const { fresh, signal } = options;
    this.#isOwner = true;
    this.#client = this.#speak(await connectProxy(path, signal));
    this.setProxy(`unix://${path}`, 0);
    const greeted = this.greet({ signal }, fresh ? timeoutMs * 2 : timeoutMs);
    if (fresh) await waitReady(greeted, { what: "the agent's answer to Version", ms: timeoutMs }, options);
    else await greeted;
  }

  /** `takeOverMs`: the port may have been another's; undefined: it is new. */
  async #takePort(
    socket: Socket,
    lock: FileLock,
    takeOverMs: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<YamuxLink> {
    try {
      if (takeOverMs !== undefined) await takeOver(socket, { timeoutMs: takeOverMs, signal });
    } catch (error) {
      socket.destroy();
      lock.release();
      throw error;
    }
    const link = new YamuxLink(socket);
    link.onClose(() => lock.release());
    this.#link = link;
    return link;
  }

  #speak(stream: Duplex): KataClient {
    const isGrpc = this.#place?.config.protocol === "grpc";
    return new KataClient(isGrpc ? new GrpcConnection(stream) : new TtrpcConnection(stream));
  }

  /** Remembers where the agent is reached. `pid`: process of a proxy of its own; 0: there is none. */
  setProxy(url: string, pid: number): void {
    this.#proxy = { url, pid };
  }

  /** The same for a VM that another process has made. */
  setProxyFromGrpc(url: string, pid: number): void {
    this.setProxy(url, pid);
  }

  /** Where the agent is reached. @throws HuskError ERR_AGENT_DISCONNECTED before the pod's directory is known */
  getAgentURL(): string {
    return this.#proxy?.url ?? `unix://${this.#known.directory.socket("kata")}`;
  }

  /** Takes over the connection of another object for the same agent, which has none any more. */
  reuseAgent(other: KataAgent): void {
    this.#client = other.#client;
    this.#link = other.#link;
    this.#proxy = other.#proxy;
    this.ours = other.ours;
    this.#isOwner = other.#isOwner;
    other.#client = undefined;
    other.#link = undefined;
    other.#isOwner = false;
  }

  /** What the VM needs for its agent, as told to the hypervisor before it starts. */
  createSandbox(): typeof AGENT_PORT {
    return this.configure();
  }

  /** The serial port that the VM gets. */
  configure(): typeof AGENT_PORT {
    return AGENT_PORT;
  }

  /** Settings of an agent whose VM another process has made: nothing is done yet. */
  configureFromGrpc(place: AgentPlace): void {
    this.init(place);
  }

  /** Directory of the agent's socket on the host. */
  getVMPath(): string {
    return this.#known.directory.socketPath;
  }

  /** Where the pod's own share is mounted in the guest. */
  getSharePath(): string {
    return SHARED_DIRECTORY;
  }

  /** Ends the connection; what the agent has on disk goes with the pod's directory. */
  cleanup(): void {
    this.disconnect();
    this.#proxy = undefined;
  }

  protected get client(): KataClient {
    if (this.#client) return this.#client;
    throw new HuskError("ERR_AGENT_DISCONNECTED", "there is no connection to the guest's agent");
  }

  protected deadline(name: DeadlineName): number {
    return deadlineMs(name, this.#known.deadlineFactor);
  }

  get #known(): AgentPlace {
    if (this.#place) return this.#place;
    throw new HuskError("ERR_AGENT_DISCONNECTED", "the agent has not been told which pod it is of");
  }
}

import { createServer, type Server, type Socket } from "node:net";
import { HuskError } from "@husk/virtcontainers";
import type { ContainerModule } from "../types.ts";
import { ClientSession } from "./client-session.ts";
import { sendAway } from "./send-away.ts";
import { ServiceSocket } from "./service-socket.ts";

/** How long the calls that are being answered may take when the service ends, in milliseconds. */
const CLOSE_GRACE_MS = 30_000;
/** Connections at a time when nothing is said: each of our own clients has one for each of its calls. */
const MAX_CONNECTIONS = 1024;
/** Connections beyond that which are told so at the same time; others are closed without a word. */
const MAX_REFUSED = 64;

/** How the module is served. */
export interface ServeModuleOptions {
  /** path of the unix socket; its directory is made if need be */
  readonly socket: string;
  /** connections at a time; default: 1024 */
  readonly maxConnections?: number | undefined;
}

/** A container module that other processes use. */
export interface ModuleService extends AsyncDisposable {
  /** absolute path of the socket */
  readonly socket: string;
  /** Takes no more calls, lets those that there are come to their end for half a minute, and removes the socket. */
  close(): Promise<void>;
}

/**
 * Serves a container module on a unix socket (0600), to clients of `connectContainerModule` and whoever else speaks the
 * protocol (docs/container-module.md). Ours: the seed has no service.
 * @throws HuskError ERR_MODULE_SERVED when another process serves there, ERR_STORE, ERR_CONFIG_INVALID, ERR_LOCK
 */
export async function serveContainerModule(
  module: ContainerModule,
  options: ServeModuleOptions,
): Promise<ModuleService> {
  const { maxConnections = MAX_CONNECTIONS } = options;
  const socket = await ServiceSocket.claim(options.socket);
  const sessions = new Set<ClientSession>();
  const server = createServer((connection) => {
    if (sessions.size >= maxConnections) return refuseConnection(connection, maxConnections);
    const session = new ClientSession(connection, module);
    sessions.add(session);
    connection.once("close", () => sessions.delete(session));
  });
  // A connection that cannot be accepted, for want of descriptors for instance, ends no other.
  server.on("error", () => {});
  server.maxConnections = maxConnections + MAX_REFUSED;
  try {
    await socket.listen(server);
  } catch (error) {
    socket[Symbol.dispose]();
    throw error;
  }
  let closed: Promise<void> | undefined;
  const close = () => (closed ??= endService(server, sessions, socket));
  return { socket: socket.path, close, [Symbol.asyncDispose]: close };
}

function refuseConnection(connection: Socket, most: number): void {
  // That it has gone is all that could be told of it.
  connection.on("error", () => {}).resume();
  sendAway(connection, new HuskError("ERR_MODULE_BUSY", `the service has ${most} connections already`));
}

async function endService(
  server: Server,
  sessions: ReadonlySet<ClientSession>,
  socket: ServiceSocket,
): Promise<void> {
  using _ = socket;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const timer = setTimeout(() => destroyAll(sessions), CLOSE_GRACE_MS);
  await Promise.all([...sessions].map((session) => session.finish()));
  clearTimeout(timer);
  destroyAll(sessions);
  await closed;
}

function destroyAll(sessions: ReadonlySet<ClientSession>): void {
  for (const session of sessions) session.destroy();
}

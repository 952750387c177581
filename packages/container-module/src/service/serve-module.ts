import { createServer, type Server } from "node:net";
import type { ContainerModule } from "../types.ts";
import { ClientSession } from "./client-session.ts";
import { ServiceSocket } from "./service-socket.ts";

/** How long the calls that are being answered may take when the service ends, in milliseconds. */
const CLOSE_GRACE_MS = 30_000;

/** How the module is served. */
export interface ServeModuleOptions {
  /** path of the unix socket; its directory is made if need be */
  readonly socket: string;
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
  const socket = await ServiceSocket.claim(options.socket);
  const sessions = new Set<ClientSession>();
  const server = createServer((connection) => {
    const session = new ClientSession(connection, module);
    sessions.add(session);
    connection.once("close", () => sessions.delete(session));
  });
  // A connection that cannot be accepted, for want of descriptors for instance, ends no other.
  server.on("error", () => {});
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

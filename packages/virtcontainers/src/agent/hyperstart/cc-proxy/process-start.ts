import type { CommandOptions, PreparedProcess, Reply } from "../transport.ts";
import { askAgent, drawToken } from "./proxy-commands.ts";
import type { ProxyConnection } from "./proxy-connection.ts";
import type { ProxyEndpoint } from "./proxy-endpoint.ts";

/**
 * The start of one process. It has a connection of its own: the proxy answers only when the process's shim has come, and
 * other commands are not to wait for that.
 */
export class ProcessStart {
  readonly token: string;
  readonly #connection: ProxyConnection;

  constructor(connection: ProxyConnection, token: string) {
    this.#connection = connection;
    this.token = token;
  }

  /** Asks the proxy for a token. @throws HuskError ERR_AGENT_DISCONNECTED, ERR_AGENT_REFUSED, … */
  static async begin(endpoint: ProxyEndpoint, limits: CommandOptions): Promise<ProcessStart> {
    const draw = async (connection: ProxyConnection) =>
      new ProcessStart(connection, await drawToken(connection, endpoint.podId, limits));
    return endpoint.connectAndBegin(draw, limits);
  }

  send(command: number, data: object, limits: CommandOptions): Promise<Reply> {
    return askAgent(this.#connection, command, { tokens: [this.token], data }, limits);
  }

  close(): void {
    this.#connection.close();
  }
}

/** A process whose streams a shim carries, that has the token. */
export function startForShim(start: ProcessStart): PreparedProcess {
  return {
    seqs: { stdio: 0, stderr: 0 },
    streams: undefined,
    start: (command, payload, options) => start.send(command, payload, options),
    release: () => start.close(),
  };
}

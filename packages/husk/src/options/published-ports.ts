import { isIP } from "node:net";
import type { PortMapping } from "@husk/virtcontainers";
import { UsageError } from "../usage-error.ts";

/** Most ports that one pod can publish. */
const MAX_PORTS = 256;
const MAX_PORT = 65_535;

const HINT = "write [ADDRESS:]HOST:CONTAINER[/tcp|udp], each a port or a range as 8000-8010";

/** An address with its colon, an IPv6 one in brackets; the ports of the host and of the container; the protocol. */
const PUBLISHED =
  /^(?:(?:\[(?<six>[^\]]+)\]|(?<four>[^:[\]]+)):)?(?<host>[\d-]+):(?<container>[\d-]+)(?:\/(?<protocol>tcp|udp))?$/;

/**
 * Reads what `-p` was given, each time.
 *
 * @throws UsageError when one has the wrong form, or when there are too many
 */
export function parsePublishedPorts(texts: readonly string[]): PortMapping[] {
  const mappings = texts.flatMap(parsePublished);
  if (mappings.length <= MAX_PORTS) return mappings;
  throw new UsageError(`too many ports: ${mappings.length}`, `a pod can publish ${MAX_PORTS}`);
}

function parsePublished(text: string): PortMapping[] {
  const { six, four, host = "", container = "", protocol = "tcp" } = PUBLISHED.exec(text)?.groups ?? {};
  const hostAddress = six ?? four;
  const [hostPorts, containerPorts] = [parseRange(host), parseRange(container)];
  const isAddress = hostAddress === undefined || isIP(hostAddress) === (six === undefined ? 4 : 6);
  if (!hostPorts || !containerPorts || !isAddress) throw new UsageError(`not a port: ${text}`, HINT);
  if (hostPorts.length !== containerPorts.length)
    throw new UsageError(`ranges of different lengths: ${text}`, HINT);
  if (hostPorts.length > MAX_PORTS)
    throw new UsageError(`too many ports: ${text}`, `a pod can publish ${MAX_PORTS}`);
  return Array.from({ length: hostPorts.length }, (_, index) => ({
    protocol: protocol === "udp" ? "udp" : "tcp",
    ...(hostAddress === undefined ? {} : { hostAddress }),
    hostPort: hostPorts.first + index,
    containerPort: containerPorts.first + index,
  }));
}

/** Reads a port, or a range of them; undefined: it is neither. */
function parseRange(text: string): { first: number; length: number } | undefined {
  const [, from, to = from] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const [first, last] = [Number(from), Number(to)];
  return first >= 1 && last <= MAX_PORT && first <= last ? { first, length: last - first + 1 } : undefined;
}

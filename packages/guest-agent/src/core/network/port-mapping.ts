/**
 * Which networks reach the pod, and by which ports: one table of the packet filter, written anew as a whole whenever
 * something of it changes. Reference: hyperstart.md 5.
 */
import { Errno, errorText, hasErrno, writeControl } from "@husk/tiny";
import type { Port, PortmappingWhiteList } from "@husk/wire/hyperstart";
import {
  type Chain,
  deleteTable,
  type Expression,
  fromNetwork,
  NETLINK_NETFILTER,
  type Network,
  ofKnownConnection,
  ofProtocol,
  parseNetwork,
  redirectTo,
  replaceTable,
  throughLink,
  toPort,
  verdict,
} from "@husk/wire/netlink";
import { loadModule } from "../../boot/modules.ts";
import { LOOPBACK } from "./links.ts";
import { withNetlink } from "./netlink-socket.ts";

const TABLE = "hyperstart";
const PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ["tcp", 6],
  ["udp", 17],
  ["sctp", 132],
]);
const ICMP = [1, 58];
const MODULES = ["nf_tables", "nft_ct", "nft_chain_nat", "nft_redir"];
/** NF_IP_PRI_FILTER and NF_IP_PRI_NAT_DST. */
const PRIORITY = { filter: 0, nat: -100 };

interface Mapping {
  protocol: number;
  hostPort: number;
  containerPort: number;
}

function parseMapping({ protocol, hostPort, containerPort }: Port): Mapping {
  const number = PROTOCOLS.get(protocol.toLowerCase());
  if (number === undefined)
    throw new Error(`port ${hostPort}: protocol "${protocol}" is not tcp, udp or sctp`);
  return { protocol: number, hostPort, containerPort };
}

/** The pod's filter and the ports of its containers. */
export class PortMapping {
  readonly #internal: readonly Network[];
  readonly #external: readonly Network[];
  readonly #mappings = new Map<string, Mapping[]>();

  private constructor(list: PortmappingWhiteList) {
    this.#internal = list.internalNetworks.map(parseNetwork);
    this.#external = list.externalNetworks.map(parseNetwork);
  }

  /** Sets the filter up; without networks there is none, and containers' ports mean nothing. */
  static start(list: PortmappingWhiteList | undefined): PortMapping | undefined {
    if (!list || list.internalNetworks.length + list.externalNetworks.length === 0) return undefined;
    const mapping = new PortMapping(list);
    for (const module of MODULES) loadModule(module);
    mapping.#write();
    widenConnectionTable();
    return mapping;
  }

  /** Opens the ports of a container. @throws Error when it cannot be done; nothing has changed then */
  open(containerId: string, ports: readonly Port[]): void {
    const mappings = ports.filter(({ hostPort }) => hostPort > 0).map(parseMapping);
    if (mappings.length === 0) return;
    this.#mappings.set(containerId, mappings);
    try {
      this.#write();
    } catch (error) {
      this.#mappings.delete(containerId);
      throw error;
    }
  }

  /** Closes the ports of a container. */
  close(containerId: string): void {
    if (this.#mappings.delete(containerId)) this.#write();
  }

  /** Removes the filter. */
  end(): void {
    withNetlink(NETLINK_NETFILTER, (socket) => socket.commit(deleteTable(TABLE)));
  }

  #write(): void {
    try {
      withNetlink(NETLINK_NETFILTER, (socket) => socket.commit(replaceTable(TABLE, this.#chains())));
    } catch (error) {
      const isMissing = hasErrno(error, Errno.EPROTONOSUPPORT);
      throw new Error(`port mapping: ${isMissing ? "this kernel has no nf_tables" : errorText(error)}`);
    }
  }

  #chains(): Chain[] {
    const accept = (match: Expression[]) => [...match, verdict("accept")];
    const perPort = <T>(rule: (network: Network, mapping: Mapping) => T[]): T[] =>
      [...this.#mappings.values()]
        .flat()
        .flatMap((one) => this.#external.flatMap((network) => rule(network, one)));
    return [
      {
        name: "PREROUTING",
        hook: { type: "nat", hook: 0, priority: PRIORITY.nat },
        rules: perPort((network, { protocol, hostPort, containerPort }) =>
          hostPort === containerPort
            ? []
            : [[...fromNetwork(network), ...toPort(protocol, hostPort), ...redirectTo(containerPort)]],
        ),
      },
      {
        name: "INPUT",
        hook: { type: "filter", hook: 1, priority: PRIORITY.filter },
        rules: [
          ...this.#internal.map((network) => accept(fromNetwork(network))),
          ...perPort((network, { protocol, containerPort }) => [
            accept([...fromNetwork(network), ...toPort(protocol, containerPort)]),
          ]),
          accept(ofKnownConnection()),
          ...ICMP.map((protocol) => accept(ofProtocol(protocol))),
          accept(throughLink(LOOPBACK)),
          [verdict("drop")],
        ],
      },
    ];
  }
}

/** Room for the connections of a busy pod, as hyperstart makes it; a kernel that has none of it to give goes on. */
function widenConnectionTable(): void {
  for (const [name, value] of [
    ["nf_conntrack_max", "10485760"],
    ["netfilter/nf_conntrack_tcp_timeout_established", "300"],
  ] as const) {
    try {
      writeControl(`/proc/sys/net/${name}`, value);
    } catch {
      // A namespace that is not the machine's first may not.
    }
  }
}

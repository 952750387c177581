import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";

/** A network namespace of a test. */
export interface TestNamespace {
  readonly name: string;
  readonly path: string;
  /** A program in it, for spawn(). */
  command(program: string, ...args: string[]): [program: string, args: string[]];
  /** Runs a program in it to its end. @returns what it prints */
  run(program: string, ...args: string[]): string;
  /** Runs `ip` in it with words. @returns what it prints */
  ip(words: string): string;
  /** All that it has of links, addresses, routes and queues, without what changes by itself: for comparison. */
  dump(): string;
}

/** An interface that a test has put into a namespace. */
export interface TestLink {
  /** its addresses, without a prefix */
  readonly address: string;
  readonly address6: string;
}

/** How a link of a namespace is made. */
export type TestLinkKind = "veth" | "macvlan" | "macvtap";

/**
 * A small network of a test, of its own namespaces, so that the machine's stays as it is: a hub with a bridge, to which links
 * of other namespaces lead. Addresses work at once. All goes with it.
 */
export class TestNetwork implements AsyncDisposable {
  /** has the bridge `hub0`, and is the gateway of all others */
  readonly hub: TestNamespace;
  /** the hub's addresses on its bridge */
  readonly gateway: string;
  readonly gateway6: string;
  readonly #namespaces: TestNamespace[] = [];
  readonly #subnet: number;
  #ports = 0;

  /** @param subnet the network is 10.77.<subnet>.0/24 and fd77:<subnet>::/64 */
  constructor(subnet = 0) {
    this.#subnet = subnet;
    [this.gateway, this.gateway6] = this.#addresses(1);
    this.hub = this.addNamespace();
    const { ip } = this.hub;
    ip("link add hub0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0");
    ip(`address add ${this.gateway}/24 dev hub0`);
    ip(`address add ${this.gateway6}/64 dev hub0 nodad`);
    ip("link set dev hub0 up");
  }

  /** A namespace that has only its loopback interface, up. */
  addNamespace(): TestNamespace {
    const namespace = makeNamespace();
    this.#namespaces.push(namespace);
    namespace.ip("link set dev lo up");
    return namespace;
  }

  /** A namespace with a link `eth0` to the hub, and default routes. */
  addPeer(): TestNamespace & TestLink {
    const namespace = this.addNamespace();
    const link = this.connect(namespace, "eth0");
    namespace.ip(`route add default via ${this.gateway}`);
    namespace.ip(`-6 route add default via ${this.gateway6}`);
    return { ...namespace, ...link };
  }

  /** Puts a link to the hub into a namespace, with an IPv4 and an IPv6 address, up. */
  connect({ name: namespace, ip }: TestNamespace, link: string, kind: TestLinkKind = "veth"): TestLink {
    const number = ++this.#ports;
    const port = `port${number}`;
    const hub = this.hub.ip;
    if (kind === "veth") {
      hub(`link add ${port} type veth peer name ${link} netns ${namespace}`);
    } else {
      hub(`link add ${port} type veth peer name base${number}`);
      hub(`link set dev base${number} up`);
      hub(`link add link base${number} name ${link} netns ${namespace} type ${kind} mode bridge`);
    }
    hub(`link set dev ${port} master hub0 up`);
    const [address, address6] = this.#addresses(number + 1);
    ip(`address add ${address}/24 dev ${link}`);
    ip(`address add ${address6}/64 dev ${link} nodad`);
    ip(`link set dev ${link} up`);
    return { address, address6 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { name } of this.#namespaces) execFileSync("ip", ["netns", "delete", name]);
  }

  #addresses(host: number): [ipv4: string, ipv6: string] {
    return [`10.77.${this.#subnet}.${host}`, `fd77:${this.#subnet}::${host.toString(16)}`];
  }
}

/** Names of the namespaces of tests and pods that are there now. */
export function listNamespaces(): string[] {
  const lines = execFileSync("ip", ["netns", "list"]).toString().split("\n");
  return lines.flatMap((line) => (line.startsWith("husk-") ? line.split(" ", 1) : []));
}

function makeNamespace(): TestNamespace {
  const name = `husk-test-${randomBytes(5).toString("hex")}`;
  execFileSync("ip", ["netns", "add", name]);
  const path = `/run/netns/${name}`;
  const command = (program: string, ...args: string[]): [string, string[]] => [
    "nsenter",
    [`--net=${path}`, "--", program, ...args],
  ];
  const run = (program: string, ...args: string[]) =>
    execFileSync(...command(program, ...args), { maxBuffer: 1 << 24 }).toString();
  const ip = (words: string) => run("ip", ...words.split(" "));
  const dump = () => {
    const links = JSON.parse(ip("-d -json address show"), withoutPassing) as unknown;
    const routes = ip("route show table all").split("\n").sort();
    const queues = JSON.parse(run("tc", "-json", "qdisc", "show"), withoutPassing) as unknown;
    return JSON.stringify({ links, routes, queues }, undefined, 1);
  };
  return { name, path, command, run, ip, dump };
}

/** The state of a link tells of its other end; counters count. */
function withoutPassing(key: string, value: unknown): unknown {
  return ["operstate", "tentative", "refcnt", "promiscuity", "allmulti"].includes(key) ? undefined : value;
}

import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from "node:child_process";
import {
  makeTestNamespace,
  skipDuplicateDetection,
  type TestNamespace,
} from "@husk/virtcontainers/testing/test-namespace";

export type { TestNamespace } from "@husk/virtcontainers/testing/test-namespace";

/** The addresses of one end of a wire. */
export interface WireEnd {
  readonly namespace: TestNamespace;
  /** name of the link there */
  readonly name: string;
  /** addresses with the length of their prefix */
  readonly addresses?: readonly string[];
  /** hardware address; default: the kernel's choice */
  readonly mac?: string;
}

/** Network namespaces of a test, and the wires between them. All of it goes with this. */
export class TestNetworks implements AsyncDisposable {
  readonly #all = new AsyncDisposableStack();

  /** Makes a namespace, in which addresses work at once. */
  add(): TestNamespace {
    const namespace = this.#all.use(makeTestNamespace());
    skipDuplicateDetection(namespace);
    this.#all.defer(() => deleteDevices(namespace));
    return namespace;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#all.disposeAsync();
  }
}

/** Deletes the links of a namespace that have device nodes: the kernel takes a namespace apart some time after it has gone. */
function deleteDevices({ ip }: TestNamespace): void {
  const links = JSON.parse(ip("-json link show type macvtap") || "[]") as { ifname?: string }[];
  for (const { ifname } of links) if (ifname) ip(`link delete dev ${ifname}`);
}

/** Runs `ip` in a namespace for each of these, in order. */
export function ipAll({ ip }: TestNamespace, commands: readonly string[]): void {
  for (const words of commands) ip(words);
}

/** Joins two namespaces by a pair of veth links, which are up then. @param mtu largest packet in bytes */
export function wire(one: WireEnd, other: WireEnd, mtu = 1500): void {
  const ends = [one, other];
  const [first, second] = ends.map(({ name, mac }) => `${name} mtu ${mtu}${mac ? ` address ${mac}` : ""}`);
  one.namespace.ip(`link add ${first} type veth peer name ${second} netns ${other.namespace.name}`);
  for (const { namespace, name, addresses = [] } of ends) {
    namespace.ip(`link set dev ${name} up`);
    addAddresses(namespace, name, addresses);
  }
}

/** Gives a link addresses that it need not ask others about. */
export function addAddresses(namespace: TestNamespace, name: string, addresses: readonly string[]): void {
  for (const address of addresses) {
    namespace.ip(`address add ${address} dev ${name}${address.includes(":") ? " nodad" : ""}`);
  }
}

/** Makes a bridge that is up, and the links its ports. @param addresses of its own */
export function makeBridge(
  namespace: TestNamespace,
  name: string,
  ports: readonly string[],
  addresses: readonly string[] = [],
): void {
  const make = [`link add ${name} type bridge forward_delay 0`, `link set dev ${name} up`];
  ipAll(namespace, [...make, ...ports.map((port) => `link set dev ${port} master ${name}`)]);
  addAddresses(namespace, name, addresses);
}

/** Makes a namespace a router of both families. */
export function forwardPackets({ path }: TestNamespace): void {
  const script = "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding";
  execFileSync("nsenter", [`--net=${path}`, "--", "sh", "-ec", script]);
}

/** How long a program in a namespace may take, in milliseconds: it must not outlive a test that has failed. */
const PROGRAM_TIMEOUT_MS = 150_000;

/** Starts a program in a namespace. */
export function spawnIn(
  { path }: Pick<TestNamespace, "path">,
  args: readonly string[],
): ChildProcessWithoutNullStreams {
  return spawn("nsenter", [`--net=${path}`, "--", ...args], { timeout: PROGRAM_TIMEOUT_MS });
}

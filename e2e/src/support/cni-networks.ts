import type { CniMachine } from "@husk/virtcontainers/testing/cni-machine";

/** More of a network than its name. */
interface NetworkOptions {
  /** whether it has IPv6 as well as IPv4 */
  readonly ipv6?: boolean;
  /** plugins behind the bridge's */
  readonly more?: readonly object[];
  /** plugins that find fault with what they made themselves are not asked */
  readonly disableCheck?: boolean;
}

/**
 * Writes the configuration of a network: a bridge of the machine, 10.N.0.1/24 and fdN::1/64, with an address of each for a
 * pod, and the way out through it.
 */
export function writeBridgeNetwork(
  machine: CniMachine,
  name: string,
  number: number,
  { ipv6 = true, more = [], disableCheck = false }: NetworkOptions = {},
): void {
  const ranges = [[{ subnet: `10.${number}.0.0/24` }]];
  const routes = [{ dst: "0.0.0.0/0" }];
  if (ipv6) {
    ranges.push([{ subnet: `fd${number}::/64` }]);
    routes.push({ dst: "::/0" });
  }
  const ipam = { type: "host-local", dataDir: machine.dataDir, ranges, routes };
  const dns = { nameservers: [`10.${number}.0.1`], search: [`${name}.example`] };
  const bridge = { type: "bridge", bridge: `br-${name}`, isGateway: true, ipMasq: true, ipam, dns };
  machine.writeConfiguration(`${number}-${name}.conflist`, {
    ...{ cniVersion: "1.0.0", name, disableCheck },
    plugins: [bridge, ...more],
  });
}

/** What plugins have made on the machine for pods: links, leases, firewall rules. The bridges themselves stay. */
export function findMade(machine: CniMachine, ...networks: string[]): string[] {
  const links = JSON.parse(machine.run("ip", "-json", "link")) as { ifname: string }[];
  const made = links.map(({ ifname }) => ifname).filter((name) => name.startsWith("veth"));
  const leases = networks.flatMap((network) => machine.leases(network));
  const saved = machine.run("iptables-save") + machine.run("ip6tables-save");
  // What is there for all pods names neither an address of one nor a port.
  const rules = saved
    .split("\n")
    .filter((line) => /^-A .*(?:10\.\d+\.0\.[2-9]|fd\d+::[2-9]|--dport)/.test(line));
  return [...made, ...leases, ...rules];
}

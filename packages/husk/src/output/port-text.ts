import type { PortMapping } from "@husk/virtcontainers";

/** Ports that follow each other, of the host and of the container. */
interface PortRange {
  readonly first: PortMapping;
  length: number;
}

/** Published ports as text, ranges put together: `127.0.0.1:8080->80/tcp, 9000-9010->9000-9010/udp`. */
export function describePorts(mappings: readonly PortMapping[]): string {
  const ranges: PortRange[] = [];
  for (const mapping of mappings) {
    const last = ranges.at(-1);
    if (last && isNext(last, mapping)) last.length++;
    else ranges.push({ first: mapping, length: 1 });
  }
  return ranges.map(describeRange).join(", ");
}

function isNext({ first, length }: PortRange, mapping: PortMapping): boolean {
  return (
    (mapping.protocol ?? "tcp") === (first.protocol ?? "tcp") &&
    mapping.hostAddress === first.hostAddress &&
    mapping.hostPort === first.hostPort + length &&
    mapping.containerPort === first.containerPort + length
  );
}

function describeRange({ first, length }: PortRange): string {
  const { hostAddress, hostPort, containerPort, protocol = "tcp" } = first;
  const span = (port: number) => (length === 1 ? `${port}` : `${port}-${port + length - 1}`);
  const address = hostAddress?.includes(":") ? `[${hostAddress}]` : hostAddress;
  return `${address === undefined ? "" : `${address}:`}${span(hostPort)}->${span(containerPort)}/${protocol}`;
}

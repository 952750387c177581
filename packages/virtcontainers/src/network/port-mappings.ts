import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, isIPv4 } from "node:net";
import { HuskError, messageOf, systemCode } from "../errors/index.ts";
import type { PortMapping } from "../types/index.ts";

const ANY_ADDRESS = "0.0.0.0";

/**
 * Checks that the host has the ports that QEMU is to lead to a pod. QEMU would find out, too, but not say why.
 * @throws HuskError ERR_CONFIG_INVALID, ERR_NOT_SUPPORTED, ERR_PORT_IN_USE
 */
export async function checkPortMappings(mappings: readonly PortMapping[]): Promise<void> {
  mappings.forEach(checkHostAddress);
  checkDuplicates(mappings);
  for (const mapping of mappings) await checkFree(mapping);
}

/** A port of the host, as users write it. */
function portText({ hostAddress, hostPort, protocol = "tcp" }: PortMapping): string {
  return `${hostAddress ? `${hostAddress}:` : ""}${hostPort}/${protocol}`;
}

function checkHostAddress({ hostAddress }: PortMapping, index: number): void {
  if (hostAddress === undefined || isIPv4(hostAddress)) return;
  const text = `networkConfig.portMappings[${index}].hostAddress: ${JSON.stringify(hostAddress.slice(0, 80))}`;
  if (hostAddress.includes(":")) {
    const hint = "Give an IPv4 address, or use a CNI network with the portmap plugin.";
    throw new HuskError("ERR_NOT_SUPPORTED", `${text}: QEMU publishes ports on IPv4 addresses only`, {
      hint,
    });
  }
  throw new HuskError("ERR_CONFIG_INVALID", `${text} is no IPv4 address`);
}

function checkDuplicates(mappings: readonly PortMapping[]): void {
  const seen = new Map<string, Set<string>>();
  for (const mapping of mappings) {
    const { protocol = "tcp", hostPort, hostAddress = ANY_ADDRESS } = mapping;
    const key = `${hostPort}/${protocol}`;
    const addresses = seen.get(key) ?? new Set();
    // All addresses are one that any other clashes with.
    const clashes = hostAddress === ANY_ADDRESS ? addresses.size > 0 : addresses.has(ANY_ADDRESS);
    if (clashes || addresses.has(hostAddress)) {
      const text = `networkConfig.portMappings: the port ${portText(mapping)} of the host is given twice`;
      throw new HuskError("ERR_CONFIG_INVALID", text);
    }
    seen.set(key, addresses.add(hostAddress));
  }
}

async function checkFree(mapping: PortMapping): Promise<void> {
  const { protocol = "tcp", hostPort: port, hostAddress: address = ANY_ADDRESS } = mapping;
  try {
    await (protocol === "tcp" ? listenOnce(port, address) : bindOnce(port, address));
  } catch (error) {
    throw portError(mapping, error);
  }
}

async function listenOnce(port: number, host: string): Promise<void> {
  const server = createServer().listen({ port, host });
  await once(server, "listening");
  server.close();
  await once(server, "close");
}

async function bindOnce(port: number, address: string): Promise<void> {
  const socket = createSocket("udp4").bind({ port, address });
  await once(socket, "listening");
  socket.close();
  await once(socket, "close");
}

function portError(mapping: PortMapping, cause: unknown): HuskError {
  const port = `the port ${portText(mapping)} of the host`;
  switch (systemCode(cause)) {
    case "EADDRINUSE":
      return new HuskError("ERR_PORT_IN_USE", `${port} is in use`, { cause });
    case "EACCES":
      return new HuskError("ERR_NOT_SUPPORTED", `${port} is for root alone`, {
        cause,
        hint: "Choose a port from 1024 on, or see the sysctl net.ipv4.ip_unprivileged_port_start.",
      });
    case "EADDRNOTAVAIL":
      return new HuskError("ERR_CONFIG_INVALID", `${port}: this machine has no such address`, { cause });
    default:
      return new HuskError("ERR_PORT_IN_USE", `${port} cannot be had: ${messageOf(cause)}`, { cause });
  }
}

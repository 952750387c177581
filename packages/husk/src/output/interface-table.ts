import type { PodInterface } from "@husk/virtcontainers";
import { renderTable } from "./table.ts";

const COLUMNS = [
  { title: "INTERFACE" },
  { title: "MAC" },
  { title: "MTU", align: "right" },
  { title: "KIND" },
  { title: "JOINED BY" },
  { title: "ADDRESSES" },
] as const;

/** Renders the network interfaces of a pod as a table. */
export function renderInterfaces(interfaces: readonly PodInterface[]): string {
  const rows = interfaces.map(({ name, mac, mtu, kind, interworking, addresses }) => [
    name,
    mac,
    String(mtu),
    kind,
    interworking,
    addresses.join(", ") || "-",
  ]);
  return renderTable(COLUMNS, rows);
}

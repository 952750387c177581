import { existsSync } from "node:fs";
import type { QmpDevice, QmpNetdev } from "@husk/wire/qmp";
import { SHARE_FD } from "../../storage/share-namespace.ts";
import type { PortMapping } from "../../types/index.ts";
import type { Nic, NicBackend } from "../types.ts";
import type { QemuPlan } from "./command-line.ts";
import { placeOf } from "./slots.ts";
import { transportOf, tuningOf } from "./transport.ts";

/** What every guest takes for granted of a network interface, in bytes. */
const USUAL_MTU = 1500;

/** What an interface's device depends on. */
export type NicPlan = Pick<QemuPlan, "machine" | "accelerator">;

/** A name of Linux as part of an id in QEMU, which allows fewer characters. */
function idPart(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9.-]/g, (character) => `_${character.charCodeAt(0).toString(16)}_`);
}

/** Name of the device that an interface is in the VM. */
export function nicId(name: string): string {
  return `nic-${idPart(name)}`;
}

/** Name of what is behind an interface. */
export function netdevId(name: string): string {
  return `net-${idPart(name)}`;
}

/** Name of the character device by which a vhost-user program is reached. */
export function nicChardevId(name: string): string {
  return `chardev-${idPart(name)}`;
}

/** Whether the host's kernel can move the packets of a VM by itself. */
export function hasVhostNet(accelerator: string): boolean {
  return accelerator === "kvm" && existsSync("/dev/vhost-net");
}

function queuesOf(backend: NicBackend): number {
  return "queues" in backend ? backend.queues : 1;
}

/** The device nodes that QEMU inherits open for interfaces, once for each queue, in the order of their descriptors. */
export function inheritedNodes(nics: readonly Nic[]): string[] {
  return nics.flatMap(({ backend }) =>
    backend.type === "macvtap" ? Array.from({ length: backend.queues }, () => backend.path) : [],
  );
}

/** What is behind an interface; `fds`: QEMU's descriptors of it, by number or name, unless QEMU opens it itself. */
export function netdevOf(
  { name, backend }: Nic,
  vhostNet: boolean,
  fds: readonly (number | string)[] = [],
): QmpNetdev {
  const id = netdevId(name);
  const vhost = vhostNet ? { vhost: true } : {};
  switch (backend.type) {
    case "tap": {
      if (fds.length > 0) return { type: "tap", id, fds: fds.join(":"), ...vhost };
      const queues = backend.queues > 1 ? { queues: backend.queues } : {};
      // Without the words for its scripts QEMU would run those of the host, which its sandbox forbids.
      return { type: "tap", id, ifname: backend.ifName, script: "no", downscript: "no", ...queues, ...vhost };
    }
    case "macvtap":
      return { type: "tap", id, fds: fds.join(":"), ...vhost };
    case "vhost-user":
      return { type: "vhost-user", id, chardev: nicChardevId(name) };
    case "user":
      return {
        type: "user",
        id,
        hostfwd: backend.portMappings.map((mapping) => ({ str: forward(mapping) })),
      };
  }
}

function forward({ protocol = "tcp", hostAddress = "", hostPort, containerPort }: PortMapping): string {
  return `${protocol}:${hostAddress}:${hostPort}-:${containerPort}`;
}

/** An interface's device, at an address in the VM or wherever there is room. */
export function nicDeviceOf({ name, mac, mtu, backend }: Nic, plan: NicPlan, addr?: string): QmpDevice {
  const { net, common } = transportOf(plan.machine);
  return {
    driver: net,
    id: nicId(name),
    netdev: netdevId(name),
    mac,
    // A link that can go down counts as down for the guest's first second, and programs that look will not use it.
    status: false,
    ...(mtu === USUAL_MTU ? {} : { host_mtu: mtu }),
    // The option ROM is for booting from the network; to load it takes time.
    ...(plan.machine === "microvm" ? {} : { romfile: "" }),
    ...common,
    ...queueOptions(queuesOf(backend), plan),
    ...(addr === undefined ? {} : placeOf(addr)),
  };
}

/** Each queue has an interrupt for either direction; one more is for changes of the device, one for its control queue. */
function queueOptions(queues: number, plan: NicPlan): Pick<QmpDevice, string> {
  if (queues === 1) return tuningOf(plan);
  return plan.machine === "microvm" ? { mq: true } : { mq: true, vectors: 2 * queues + 2 };
}

/** The network interfaces that are there at the start. */
export function nicArguments(plan: QemuPlan): string[] {
  let nextFd = SHARE_FD + plan.shares.length;
  return plan.nics.flatMap((nic) => {
    const fds = inheritedNodes([nic]).map(() => nextFd++);
    const { backend, name } = nic;
    const chardev =
      backend.type === "vhost-user"
        ? ["-chardev", `socket,id=${nicChardevId(name)},path=${backend.socketPath.replaceAll(",", ",,")}`]
        : [];
    const netdev = JSON.stringify(netdevOf(nic, plan.vhostNet, fds));
    return [...chardev, "-netdev", netdev, "-device", JSON.stringify(nicDeviceOf(nic, plan))];
  });
}

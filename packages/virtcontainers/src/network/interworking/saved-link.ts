import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HuskError } from "../../errors/index.ts";
import type { CommandOutcome } from "../../host-command.ts";
import type { Link } from "../links.ts";
import { isNamespace } from "../namespace.ts";
import { type NamespacePlace, runInNamespace } from "../namespace-command.ts";
import type { LinkBefore } from "../types.ts";

/** Length of the head of a message, and of the number before all messages, of what `ip route save` writes. */
const MESSAGE_HEAD = 16;
const FILE_HEAD = 4;
/** Place of the family in the message of an address, and its value for IPv6. */
const FAMILY_OFFSET = MESSAGE_HEAD;
const AF_INET6 = 10;
/** Place of a route's protocol in its message, and its value for those that the kernel makes by itself. */
const PROTOCOL_OFFSET = MESSAGE_HEAD + 5;
const RTPROT_KERNEL = 2;
/** Place of its flags, and the one that whoever made it has said; the kernel takes none back that it sets by itself. */
const FLAGS_OFFSET = MESSAGE_HEAD + 8;
const RTNH_F_ONLINK = 4;

/** Prints whether IPv6 is off on a link; nothing where the kernel has none. `/proc/sys/net` shows the reader's namespace. */
const READ = `! test -e "$0" || cat "$0"`;
const WRITE = `! test -e "$0" || printf %s "$1" > "$0"`;

/**
 * What a link has, to the last flag: all is there again after `restoreLink`.
 * @throws HuskError ERR_NETWORK_LINK, ERR_NETWORK_NAMESPACE, ERR_NOT_SUPPORTED, ERR_ABORTED
 */
export async function saveLink(place: NamespacePlace, name: string): Promise<LinkBefore> {
  const [addresses, routes, disabled] = await Promise.all([
    runInNamespace(place, "ip", ["address", "save", "dev", name]),
    runInNamespace(place, "ip", ["route", "save", "table", "all", "dev", name]),
    runInNamespace(place, "sh", ["-ec", READ, disableSwitch(name)]),
  ]);
  for (const { failure } of [addresses, routes, disabled]) {
    if (failure !== undefined) throw linkError(place, name, `cannot be looked at: ${failure}`);
  }
  return {
    addresses: inOrderOfMaking(addresses.stdout).toString("base64"),
    routes: withoutKernelRoutes(routes.stdout).toString("base64"),
    hasIpv6: disabled.stdout.toString().trim() === "0",
  };
}

/** Switches IPv6 on a link, and takes its addresses and routes away when it goes. @throws HuskError as `saveLink` */
export async function switchIpv6(place: NamespacePlace, name: string, isOn: boolean): Promise<void> {
  const args = ["-ec", WRITE, disableSwitch(name), isOn ? "0" : "1"];
  const { failure } = await runInNamespace(place, "sh", args);
  if (failure !== undefined) throw linkError(place, name, `cannot be given IPv6 or denied it: ${failure}`);
}

/**
 * Gives a link all back that `saveLink` found; what is there already stays. One that somebody has set down gets no routes:
 * there are none on such a link.
 * @throws HuskError ERR_NETWORK_LINK, ERR_NETWORK_NAMESPACE, ERR_NOT_SUPPORTED
 */
export async function restoreLink(
  place: NamespacePlace,
  { name, isUp }: Pick<Link, "name" | "isUp">,
  before: LinkBefore,
): Promise<void> {
  if (before.hasIpv6) await switchIpv6(place, name, true);
  for (const [what, saved] of [
    ["address", before.addresses],
    ["route", isUp ? before.routes : undefined],
  ] as const) {
    if (!saved) continue;
    const file = openUnnamed(Buffer.from(saved, "base64"));
    try {
      checkRestored(await runInNamespace(place, "ip", [what, "restore"], file), place, name, what);
    } finally {
      closeSync(file);
    }
  }
}

/** A file with that content and without a name: `ip route restore` reads it several times. */
function openUnnamed(content: Buffer): number {
  const directory = mkdtempSync(join(tmpdir(), "husk-link-"));
  try {
    const path = join(directory, "saved");
    writeFileSync(path, content);
    return openSync(path, "r");
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function checkRestored({ failure }: CommandOutcome, place: NamespacePlace, name: string, what: string): void {
  const faults = (failure ?? "").split("\n").filter((line) => line !== "" && !line.includes("File exists"));
  if (faults.length === 0 || !isNamespace(place.netNSPath)) return;
  throw linkError(place, name, `does not get each ${what} back: ${faults.join("; ")}`);
}

/** Those that the kernel makes by itself come with the addresses; a second time, they would be there twice. */
function withoutKernelRoutes(saved: Buffer): Buffer {
  const kept = messagesOf(saved).filter(
    (message) => message.length >= FLAGS_OFFSET + 4 && message[PROTOCOL_OFFSET] !== RTPROT_KERNEL,
  );
  for (const message of kept) {
    message.writeUInt32LE(message.readUInt32LE(FLAGS_OFFSET) & RTNH_F_ONLINK, FLAGS_OFFSET);
  }
  return Buffer.concat([saved.subarray(0, FILE_HEAD), ...kept]);
}

/** The kernel tells the addresses of IPv6 with the last one first. */
function inOrderOfMaking(saved: Buffer): Buffer {
  const messages = messagesOf(saved);
  const isIpv6 = (message: Buffer) => message[FAMILY_OFFSET] === AF_INET6;
  const others = messages.filter((message) => !isIpv6(message));
  return Buffer.concat([saved.subarray(0, FILE_HEAD), ...others, ...messages.filter(isIpv6).reverse()]);
}

function messagesOf(saved: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = FILE_HEAD; at + MESSAGE_HEAD <= saved.length; ) {
    const length = Math.max(MESSAGE_HEAD, (saved.readUInt32LE(at) + 3) & ~3);
    messages.push(saved.subarray(at, at + length));
    at += length;
  }
  return messages;
}

function disableSwitch(name: string): string {
  return `/proc/sys/net/ipv6/conf/${name}/disable_ipv6`;
}

function linkError({ netNSPath }: NamespacePlace, name: string, why: string): HuskError {
  return new HuskError("ERR_NETWORK_LINK", `${name} of ${netNSPath} ${why}`);
}

/** husk-tap: gives a running QEMU, which lives in another network namespace, an interface of this one. */

import * as sys from "tiny:sys";
import {
  describeFlags,
  Flags,
  type FlagTable,
  PR_SET_PDEATHSIG,
  SIGKILL,
  UsageError,
  writeAll,
} from "@husk/tiny";
import { enterNamespace, openNode, openTap } from "./interface.ts";
import { readLines, sendLine } from "./lines.ts";

const USAGE_STATUS = 2;
const FAILURE_STATUS = 1;
const MAX_DESCRIPTOR = 65535;

const FLAGS: FlagTable = {
  "socket-fd": { kind: "number", value: "N", help: "the unix socket that the descriptors are sent by" },
  netns: { kind: "text", value: "PATH", help: "network namespace of the interface (default: this one)" },
  tap: { kind: "text", value: "NAME", help: "the tap interface" },
  node: { kind: "text", value: "PATH", help: "or the device node of a macvtap interface" },
  h: { kind: "boolean", help: "print this" },
  help: { kind: "boolean", help: "print this", sameAs: "h" },
};

const SUMMARY = `usage: husk-tap -socket-fd N (-tap NAME | -node PATH) [flags]

Opens an interface once for each line of its standard input, and sends the line with the descriptor.

flags (-name value, -name=value, --name value):
${describeFlags(FLAGS)}`;

/** husk-tap, with its arguments. */
export function runHuskTap(args: readonly string[]): never {
  // What is half done is undone by whoever started this: he must not be gone before it.
  sys.prctl(PR_SET_PDEATHSIG, SIGKILL);
  try {
    const flags = new Flags(args, FLAGS);
    if (flags.boolean("h")) return leave(1, SUMMARY, 0);
    sendQueues(flags);
    return sys.exit(0);
  } catch (error) {
    if (error instanceof UsageError) return leave(2, `husk-tap: ${error.message}\n${SUMMARY}`, USAGE_STATUS);
    return leave(2, `husk-tap: ${error instanceof Error ? error.message : error}\n`, FAILURE_STATUS);
  }
}

function sendQueues(flags: Flags): void {
  const socket = flags.number("socket-fd", 0, MAX_DESCRIPTOR);
  if (socket === undefined) throw new UsageError("-socket-fd is missing");
  const [tap, node, namespace] = [flags.text("tap"), flags.text("node"), flags.text("netns")];
  if ((tap === undefined) === (node === undefined)) throw new UsageError("either -tap or -node is needed");
  const lines = readLines(0);
  if (namespace !== undefined) enterNamespace(namespace);
  for (const line of lines) {
    const queue = tap === undefined ? openNode(node ?? "") : openTap(tap, lines.length > 1);
    sendLine(socket, line, queue);
    sys.close(queue);
  }
}

function leave(fd: number, text: string, status: number): never {
  writeAll(fd, sys.encodeUtf8(text));
  return sys.exit(status);
}

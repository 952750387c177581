/** Messages that a careless agent takes for something else, made after the layout of their types. */

import type { Message, MessageType } from "@husk/wire/protobuf";
import type { Random } from "./random.ts";

/** Texts that are paths, names, numbers and addresses, some of which there may be. Nothing in them is this host's. */
const TEXTS: readonly string[] = [
  ...["", "a", "c", "p", "none", "..", "a/b", "\0", "é\u{1f600}", "x".repeat(300), "-1", "0", "4294967296"],
  ...[
    "/",
    "/run",
    "/run/fuzz/a",
    "/run/fuzz/../a",
    "/run/fuzz/link/x",
    "/runX",
    "/proc/self/root",
    "/dev/null",
  ],
  ...["tmpfs", "bind", "ephemeral", "local", "overlayfs", "overlay", "nope", "ro", "size=64k", "mode=0755"],
  ...[
    "lowerdir=/run/fuzz",
    "upperdir=/run/fuzz/u",
    "workdir=/run/fuzz/w",
    "true",
    "sh",
    "pid",
    "mount",
    "network",
  ],
  ...[
    "10.0.0.1",
    "10.0.0.0/8",
    "fd00::1",
    "24",
    "lo",
    "eth0",
    "00:00:00:00:00:00",
    "banana",
    "json",
    "table",
  ],
  ...["RLIMIT_CORE", "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ARCH_X86_64", "read", "CAP_KILL", "b", "rwm"],
];

const NUMBERS: readonly number[] = [
  0,
  1,
  2,
  9,
  15,
  64,
  255,
  0o644,
  0o100644,
  0o40755,
  0o120777,
  65536,
  2 ** 31 - 1,
];
const LARGE: readonly bigint[] = [
  ...[0n, 1n, 100n, 4096n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 64n - 1n],
  ...[-1n, -(2n ** 63n)],
];

/** Deepest nesting that is filled; what is below is left out. */
const MAX_DEPTH = 6;

function makeValue(
  kind: string,
  type: MessageType<Message> | undefined,
  random: Random,
  depth: number,
): unknown {
  switch (kind) {
    case "s":
      return random.pick(TEXTS);
    case "b":
      return Buffer.alloc(random.next(random.next(8) === 0 ? 70_000 : 16), random.next(256));
    case "t":
      return random.next(2) === 0;
    case "u":
      return random.next(8) === 0 ? 0xffff_ffff : random.pick(NUMBERS);
    case "i":
      return random.next(8) === 0 ? -1 - random.next(2) * (2 ** 31 - 1) : random.pick(NUMBERS);
    case "U":
      return BigInt.asUintN(64, random.pick(LARGE));
    case "I":
      return BigInt.asIntN(64, random.pick(LARGE));
    default:
      return type ? makeMessage(type, random, depth + 1) : {};
  }
}

/** A message of a type with random fields of random values. */
export function makeMessage(type: MessageType<Message>, random: Random, depth = 0): Record<string, unknown> {
  const message: Record<string, unknown> = {};
  if (depth > MAX_DEPTH) return message;
  const words = type.layout === "" ? [] : type.layout.split(" ");
  let nextType = 0;
  for (let at = 0; at < words.length; at += 2) {
    const [, rule = "", kind = ""] = /^\d+([?*%]?)(\w)$/.exec(words[at] ?? "") ?? [];
    const inner = kind === "m" ? type.types[nextType++] : undefined;
    if (random.next(4) === 0) continue;
    const make = () => makeValue(kind, inner, random, depth);
    const count = random.next(random.next(50) === 0 ? 60 : 4);
    const list = () => Array.from({ length: count }, make);
    if (rule === "*") message[words[at + 1] ?? ""] = list();
    else if (rule === "%")
      message[words[at + 1] ?? ""] = new Map(list().map((value) => [random.pick(TEXTS), value]));
    else message[words[at + 1] ?? ""] = make();
  }
  return message;
}

/** A copy of a message in which one place has another value, or is gone. */
export function spoilMessage(
  type: MessageType<Message>,
  message: object,
  random: Random,
): Record<string, unknown> {
  const copy = { ...message } as Record<string, unknown>;
  const words = type.layout === "" ? [] : type.layout.split(" ");
  const fields = words.flatMap((word, at) => (at % 2 === 0 ? [[word, words[at + 1] ?? ""] as const] : []));
  const nested = fields.filter(([word]) => word.endsWith("m"));
  const [word = "", name = ""] = fields.length > 0 ? random.pick(fields) : [];
  const [, rule = "", kind = ""] = /^\d+([?*%]?)(\w)$/.exec(word) ?? [];
  if (kind === "") return copy;
  const inner = kind === "m" ? type.types[nested.findIndex(([, other]) => other === name)] : undefined;
  const old = copy[name];
  if (rule === "%" || (old === undefined && random.next(2) === 0)) delete copy[name];
  else if (rule === "*") copy[name] = spoilList(kind, inner, (old ?? []) as unknown[], random);
  else if (inner && typeof old === "object" && old !== null) copy[name] = spoilMessage(inner, old, random);
  else copy[name] = makeValue(kind, inner, random, MAX_DEPTH - 2);
  return copy;
}

function spoilList(
  kind: string,
  type: MessageType<Message> | undefined,
  list: readonly unknown[],
  random: Random,
): unknown[] {
  const copy = [...list];
  const at = random.next(copy.length + 1);
  const old = copy[at];
  if (random.next(4) === 0) copy.splice(at, 1);
  else
    copy[at] = type && old ? spoilMessage(type, old, random) : makeValue(kind, type, random, MAX_DEPTH - 2);
  return copy;
}

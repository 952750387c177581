import { HuskError } from "../../errors/index.ts";
import { readJson } from "../iproute.ts";
import { isJson } from "../links.ts";
import type { NamespacePlace } from "../namespace-command.ts";

/** Priority of our filters, by which they are known: "hu". */
const OUR_PRIORITY = 0x6875;

/** Commands of tc(8) that send all that comes in by one link out by another. */
export function redirectCommands(from: string, to: string): string[] {
  const match = `protocol all pref ${OUR_PRIORITY} u32 match u8 0 0`;
  return [
    `qdisc add dev ${from} ingress`,
    `filter add dev ${from} parent ffff: ${match} action mirred egress redirect dev ${to}`,
  ];
}

/** The queue for what comes in by a link: none, ours (also without our filter yet), or somebody else's. */
export async function readIngress(place: NamespacePlace, link: string): Promise<"none" | "ours" | "foreign"> {
  const [queues = [], filters = []] = await readJson(
    place,
    "tc",
    [],
    [`qdisc show dev ${link}`, `filter show dev ${link} ingress`],
  );
  const kinds = queues.filter(isJson).map(({ kind }) => kind);
  if (kinds.includes("clsact")) return "foreign";
  if (!kinds.includes("ingress")) return "none";
  return filters.filter(isJson).every(({ pref }) => pref === OUR_PRIORITY) ? "ours" : "foreign";
}

/** The error of a link whose incoming packets somebody else filters. */
export function filteredAlready({ netNSPath }: NamespacePlace, link: string): HuskError {
  return new HuskError("ERR_NETWORK_LINK", `${link} of ${netNSPath} has a filter for what comes in already`, {
    hint: "Join it by another interworking model, or remove that (tc qdisc show).",
  });
}

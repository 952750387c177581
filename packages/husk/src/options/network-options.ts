import { isIP } from "node:net";
import { resolve } from "node:path";
import {
  type CniConfig,
  type DnsConfig,
  type NetworkConfig,
  type PodConfig,
  parseNetInterworkingModel,
} from "@husk/virtcontainers";
import { type Command, Option } from "commander";
import { UsageError } from "../usage-error.ts";
import { collect } from "./collect.ts";
import { parsePublishedPorts } from "./published-ports.ts";

/** The options of `run` that say what the container has of networks. */
export interface NetworkOptions {
  /** `none`, `user`, `cni[=NAME[,NAME…]]` or `ns=PATH` */
  network?: string;
  /** `[ADDRESS:]HOST:CONTAINER[/tcp|udp]` */
  publish?: string[];
  /** addresses of name servers */
  dns?: string[];
  /** domains to search */
  dnsSearch?: string[];
  /** options of the resolver */
  dnsOption?: string[];
  /** how interfaces are joined to the VM */
  interworking?: string;
  /** directories of CNI networks */
  cniConfDir?: string[];
  /** directories of CNI plugins */
  cniBinDir?: string[];
}

/** A kind of network of the command line, and what was typed behind `=`. */
interface Choice {
  readonly kind: "none" | "user" | "cni" | "ns";
  readonly value: string | undefined;
}

/** Which kinds of networks an option is for. */
const FOR: readonly [option: keyof NetworkOptions, flag: string, kinds: readonly Choice["kind"][]][] = [
  ["publish", "--publish", ["user", "cni"]],
  ["dns", "--dns", ["user", "cni", "ns"]],
  ["dnsSearch", "--dns-search", ["user", "cni", "ns"]],
  ["dnsOption", "--dns-option", ["user", "cni", "ns"]],
  ["interworking", "--interworking", ["cni", "ns"]],
  ["cniConfDir", "--cni-conf-dir", ["cni"]],
  ["cniBinDir", "--cni-bin-dir", ["cni"]],
];

const NETWORK_HINT = "write none, user, cni, cni=NAME, cni=NAME,NAME or ns=PATH";

/** Adds the options of `NetworkOptions` to a command. */
export function addNetworkOptions(command: Command): Command {
  return command
    .option("--network <KIND>", "none (default), user, cni[=NAME[,NAME…]] or ns=PATH: see below")
    .option(
      "-p, --publish <[ADDRESS:]HOST:CTR[/udp]>",
      "lead a port of the host, or a range, to the container",
      collect,
    )
    .option("--dns <ADDRESS>", "name server (default: the network's, or the host's)", collect)
    .option("--dns-search <DOMAIN>", "domain to search", collect)
    .option("--dns-option <OPTION>", "option of the resolver, as in resolv.conf", collect)
    .addOption(
      new Option("--interworking <MODEL>", "how links are joined to the VM (default: tcFilter)").choices([
        "tcFilter",
        "bridged",
        "macvtap",
        "enlightened",
      ]),
    )
    .option("--cni-conf-dir <DIR>", "where CNI networks are (default: /etc/cni/net.d)", collect)
    .option("--cni-bin-dir <DIR>", "where CNI plugins are (default: /opt/cni/bin, /usr/lib/cni)", collect);
}

/**
 * Makes the library's fields out of what was typed. Paths of the host may be relative.
 *
 * @throws UsageError when an option's value has the wrong form, or is not for that kind of network
 */
export function makeNetwork(options: NetworkOptions): Pick<PodConfig, "networkModel" | "networkConfig"> {
  const choice = parseNetwork(options.network ?? "none");
  refuseOthers(options, choice);
  const { kind, value } = choice;
  if (kind === "none") return {};
  const common = makeCommon(options);
  if (kind === "user") return { networkModel: "user", networkConfig: common };
  if (kind === "ns") {
    return { networkModel: "CNM", networkConfig: { ...common, netNSPath: resolve(value ?? "") } };
  }
  const cni = makeCni(options, value);
  return { networkModel: "CNI", networkConfig: { ...common, ...(cni ? { cni } : {}) } };
}

function parseNetwork(text: string): Choice {
  const [, kind = "", value] = /^([^=]*)(?:=(.*))?$/s.exec(text) ?? [];
  const isRight =
    kind === "ns"
      ? Boolean(value)
      : kind === "cni"
        ? value === undefined || value.split(",").every((name) => name !== "")
        : (kind === "none" || kind === "user") && value === undefined;
  if (!isRight) throw new UsageError(`not a network: ${text}`, NETWORK_HINT);
  return { kind: kind as Choice["kind"], value };
}

function refuseOthers(options: NetworkOptions, { kind }: Choice): void {
  for (const [option, flag, kinds] of FOR) {
    if (options[option] === undefined || kinds.includes(kind)) continue;
    const networks = kinds.map((name) => (name === "ns" ? "ns=PATH" : name)).join(" or ");
    throw new UsageError(`${flag} does nothing with --network ${kind}`, `use it with --network ${networks}`);
  }
}

function makeCommon(options: NetworkOptions): NetworkConfig {
  const dns = makeDns(options);
  const portMappings = parsePublishedPorts(options.publish ?? []);
  const { interworking } = options;
  return {
    ...(dns ? { dns } : {}),
    ...(portMappings.length > 0 ? { portMappings } : {}),
    ...(interworking ? { interworkingModel: parseNetInterworkingModel(interworking) } : {}),
  };
}

function makeDns({
  dns: servers,
  dnsSearch: search,
  dnsOption: options,
}: NetworkOptions): DnsConfig | undefined {
  const wrong = servers?.find((server) => isIP(server) === 0);
  if (wrong !== undefined) throw new UsageError(`not an address of a name server: ${wrong}`);
  if (!servers && !search && !options) return undefined;
  return { ...(servers ? { servers } : {}), ...(search ? { search } : {}), ...(options ? { options } : {}) };
}

function makeCni(
  { cniConfDir, cniBinDir }: NetworkOptions,
  names: string | undefined,
): CniConfig | undefined {
  if (!cniConfDir && !cniBinDir && names === undefined) return undefined;
  return {
    ...(cniConfDir ? { confDirs: cniConfDir.map((path) => resolve(path)) } : {}),
    ...(cniBinDir ? { binDirs: cniBinDir.map((path) => resolve(path)) } : {}),
    ...(names === undefined ? {} : { networks: names.split(",") }),
  };
}

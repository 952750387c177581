import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import type { CheckResult } from "./check-result.ts";
import { findProgram } from "./programs.ts";

/** Where networks are looked at; others in tests. */
interface NetworkPlaces {
  /** directories of CNI plugins */
  readonly pluginDirs: readonly string[];
  /** the device that tap interfaces are opened by */
  readonly tun: string;
}

const PLACES: NetworkPlaces = { pluginDirs: ["/opt/cni/bin", "/usr/lib/cni"], tun: "/dev/net/tun" };

/** Programs that set links up; without them there are still the networks none and user. */
const PROGRAMS = [
  { what: "ip", debianPackage: "iproute2", why: "makes network interfaces" },
  { what: "tc", debianPackage: "iproute2", why: "leads packets to VMs" },
  { what: "nsenter", debianPackage: "util-linux", why: "enters network namespaces" },
];

/** Looks at what networks other than none and user need. None of it is needed by all pods. */
export function checkNetworks(env: NodeJS.ProcessEnv, places = PLACES): CheckResult[] {
  return [...PROGRAMS.map((program) => checkProgram(program, env)), checkPlugins(places), checkTun(places)];
}

function checkProgram({ what: name, debianPackage, why }: (typeof PROGRAMS)[number], env: NodeJS.ProcessEnv) {
  const found = findProgram(name, env);
  if (found !== undefined) return { name, state: "ok", detail: `${found} (${why})` } as const;
  const detail = `not there: it ${why}, for --network cni and ns`;
  return { name, state: "note", detail, hint: `apt-get install ${debianPackage}` } as const;
}

function checkPlugins({ pluginDirs }: NetworkPlaces): CheckResult {
  const name = "CNI plugins";
  const found = pluginDirs.filter((path) => existsSync(path) && readdirSync(path).length > 0);
  if (found.length > 0) return { name, state: "ok", detail: found.join(", ") };
  const detail = `not in ${pluginDirs.join(" or ")}: needed for --network cni`;
  return { name, state: "note", detail, hint: "apt-get install containernetworking-plugins" };
}

function checkTun({ tun: name }: NetworkPlaces): CheckResult {
  try {
    accessSync(name, constants.R_OK | constants.W_OK);
    return { name, state: "ok", detail: "there, and may be used" };
  } catch {
    const hint = existsSync(name) ? "run husk as root" : "modprobe tun";
    return { name, state: "note", detail: "cannot be used: needed for --network cni and ns", hint };
  }
}

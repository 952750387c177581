/** The environment of a process. Reference: seed 001, step 10. */
import type { EnvVar } from "@husk/wire/hyperstart";
import type { Credentials } from "./user-database.ts";

/** Where programs are looked for when the request has no PATH of its own. */
export const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** What the environment is made from. */
export interface EnvironmentSource {
  hostname: string;
  terminal: boolean;
  credentials: Credentials;
  /** the request's variables, which win, the later ones over the earlier */
  envs: EnvVar[];
}

/** The variables by name, in the order in which a program sees them. */
export function makeEnvironment(source: EnvironmentSource): Map<string, string> {
  const { credentials } = source;
  const variables = new Map<string, string>([
    ["PATH", DEFAULT_PATH],
    ["HOSTNAME", source.hostname],
    ["HOME", credentials.home ?? "/"],
  ]);
  if (credentials.name) variables.set("USER", credentials.name);
  if (source.terminal) variables.set("TERM", "xterm");
  for (const { env, value } of source.envs) variables.set(env, value);
  return variables;
}

/** The paths at which a program of this name may be, in the order of PATH. A name with a slash is a path itself. */
export function programCandidates(name: string, path: string): string[] {
  if (name.includes("/")) return [name];
  return path
    .split(":")
    .filter((folder) => folder.startsWith("/"))
    .map((folder) => `${folder}/${name}`);
}

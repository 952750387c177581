import type { Process, Rlimit } from "@husk/wire/hyperstart";
import { RLIMIT_UNLIMITED } from "@husk/wire/hyperstart";
import { readCapabilitySets } from "../core/capability-sets.ts";
import { makeEnvironment } from "../core/environment.ts";
import type { ProcessPlan } from "../core/process-plan.ts";
import type { ResourceLimit } from "../core/resource-limits.ts";
import { lookUpCredentials } from "../core/user-database.ts";

const limitValue = (limit: number) => (limit >= RLIMIT_UNLIMITED ? -1 : limit);

function planLimit({ type, soft, hard }: Rlimit): ResourceLimit {
  return { type, soft: limitValue(soft), hard: limitValue(hard) };
}

/** Where a process of hyperstart's messages is started, as far as the messages do not tell it. */
export interface ProcessSurroundings {
  hostname: string;
  makeWorkdir: boolean;
}

/** What a process of hyperstart's messages is to be. @throws Error for capabilities that cannot be had */
export function planProcess(spec: Process, { hostname, makeWorkdir }: ProcessSurroundings): ProcessPlan {
  const wanted = {
    additionalGroups: spec.additionalGroups,
    ...(spec.user && { user: spec.user }),
    ...(spec.group && { group: spec.group }),
  };
  const { terminal, envs } = spec;
  return {
    id: spec.id,
    terminal: terminal
      ? { rows: spec.rows ?? 0, columns: spec.columns ?? 0, ownStderr: spec.stderr !== 0 }
      : undefined,
    args: spec.args,
    workdir: spec.workdir,
    makeWorkdir,
    findCredentials: (passwd, readGroups) => lookUpCredentials(wanted, passwd, readGroups()),
    makeEnvironment: (credentials) => makeEnvironment({ hostname, terminal, credentials, envs }),
    capabilities: spec.capabilities && readCapabilitySets(spec.capabilities),
    limits: (spec.rlimits ?? []).map(planLimit),
    noNewPrivileges: spec.noNewPrivileges ?? false,
    umask: 0o022,
    oomScore: 0,
    tellsOfProgram: false,
  };
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { isHuskError } from "../errors/index.ts";
import { AgentType, type PodConfig, ProxyType, ShimType } from "../types/index.ts";
import { checkPodConfig } from "./schema.ts";

/** What checking says of a pod. */
function check(config: Partial<PodConfig>): string {
  try {
    checkPodConfig({ id: "p", ...config });
    return "ok";
  } catch (error) {
    if (!isHuskError(error)) throw error;
    return `${error.code}: ${error.message} ${error.hint}`;
  }
}

const PROGRAMS: readonly string[] = ["ccProxy", "kataProxy", "ccShim", "kataShim"];

function podOf(agentType: AgentType, proxyType: ProxyType, shimType: ShimType): Partial<PodConfig> {
  return {
    agentType,
    proxyType,
    shimType,
    ...(PROGRAMS.includes(proxyType) ? { proxyConfig: { path: "/p" } } : {}),
    ...(PROGRAMS.includes(shimType) ? { shimConfig: { path: "/s" } } : {}),
  };
}

test("which agents, proxies and shims go together, and what else is said", () => {
  const legal: string[] = [];
  for (const agent of Object.values(AgentType)) {
    for (const proxy of Object.values(ProxyType)) {
      for (const shim of Object.values(ShimType)) {
        const told = check(podOf(agent, proxy, shim));
        if (told === "ok") legal.push(`${agent} ${proxy} ${shim}`);
        else assert.match(told, /^ERR_NOT_SUPPORTED: .* do not go together .*noProxy with noopShim/);
      }
    }
  }
  assert.deepEqual(
    legal.sort(),
    [
      ...["hyperstart", "kata", "noop"].flatMap((agent) => [
        `${agent} noProxy noopShim`,
        `${agent} noopProxy noopShim`,
      ]),
      "hyperstart ccProxy ccShim",
      "hyperstart ccProxy noopShim",
      "kata kataProxy kataShim",
      "kata kataProxy noopShim",
    ].sort(),
  );
  const hint = check(podOf("kata", "ccProxy", "kataShim"));
  assert.match(hint, /noopProxy with noopShim, kataProxy with kataShim, kataProxy with noopShim\.$/);
});

test("a kind that is a program needs a path, and one that is none has no settings", () => {
  const kata = podOf("kata", "kataProxy", "kataShim");
  assert.match(check({ ...kata, proxyConfig: {} }), /^ERR_CONFIG_INVALID: proxyConfig\.path: is missing/);
  assert.match(check({ ...kata, shimConfig: { debug: true } }), /^ERR_CONFIG_INVALID: shimConfig\.path/);
  assert.match(
    check({ proxyConfig: { path: "/p" } }),
    /^ERR_NOT_SUPPORTED: proxyConfig\.path: noProxy is no/,
  );
  assert.match(check({ shimConfig: { path: "/p" } }), /^ERR_NOT_SUPPORTED: shimConfig\.path: noopShim is no/);
  assert.equal(check({ proxyConfig: { debug: false }, shimConfig: {} }), "ok");
});

test("the log of shims has bounds, and the exit command is a program with arguments", () => {
  const withShim = (more: object) =>
    check({ ...podOf("kata", "kataProxy", "kataShim"), shimConfig: { path: "/s", ...more } });
  assert.equal(withShim({ log: { maxBytes: 262_144, maxFiles: 1 }, exitCommand: ["/bin/true", ""] }), "ok");
  assert.match(withShim({ log: { maxBytes: 262_143 } }), /shimConfig\.log\.maxBytes: must be from 262144/);
  assert.match(withShim({ log: { maxFiles: 0 } }), /shimConfig\.log\.maxFiles/);
  assert.match(withShim({ exitCommand: [] }), /shimConfig\.exitCommand: must not be empty/);
  assert.match(withShim({ exitCommand: ["true"] }), /shimConfig\.exitCommand\[0\]: must be absolute/);
  assert.match(withShim({ exitCommand: ["/x", "y".repeat(131_071)] }), /shimConfig\.exitCommand/);
});

test("a terminal of the host is for a shim that is a program, and its path is absolute", () => {
  const container = (console: string) => ({ id: "c", rootFs: "/r", cmd: { args: ["sh"], console } });
  const kata = podOf("kata", "kataProxy", "kataShim");
  assert.equal(check({ ...kata, containers: [container("/dev/pts/1")] }), "ok");
  assert.equal(check({ containers: [container("")] }), "ok");
  assert.match(check({ ...kata, containers: [container("pts")] }), /cmd\.console: must be absolute/);
  assert.match(check({ containers: [container("/dev/pts/1")] }), /^ERR_NOT_SUPPORTED: container "c"/);
});

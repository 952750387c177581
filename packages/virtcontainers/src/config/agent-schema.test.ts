import assert from "node:assert/strict";
import { test } from "node:test";
import { isHuskError } from "../errors/index.ts";
import type { ContainerConfig, OciSpec } from "../types/index.ts";
import { checkPodConfig } from "./schema.ts";

const container: ContainerConfig = { id: "c", rootFs: "/r", cmd: { args: ["x"] } };
const ociSpec: OciSpec = {
  ociVersion: "1.1.0",
  process: { args: ["true"], cwd: "/", user: { uid: 0, gid: 0 } },
};

function check(more: object): string {
  try {
    checkPodConfig({ id: "pod", agentType: "kata", ...more });
    return "ok";
  } catch (error) {
    return isHuskError(error) ? `${error.code}: ${error.message}` : String(error);
  }
}

test("the Kata agent's settings are checked, and belong to no other agent", () => {
  const agentConfig = {
    protocol: "grpc",
    longLiveConn: true,
    debug: true,
    kernelModules: ["e1000e EEE=1", "dummy"],
    containerPipeSize: 65_536,
  };
  assert.equal(check({ agentConfig }), "ok");
  assert.match(
    check({ agentConfig: { kernelModule: [] } }),
    /^ERR_CONFIG_UNKNOWN.*did you mean "kernelModules"/,
  );
  assert.match(check({ agentConfig: { protocol: "http" } }), /^ERR_CONFIG_INVALID: agentConfig.protocol/);
  assert.match(check({ agentConfig: { kernelModules: ["../x"] } }), /kernelModules\[0\]: must be a name/);
  assert.match(check({ agentConfig: { containerPipeSize: 1 } }), /containerPipeSize: must be from 4096/);
  assert.match(check({ agentConfig: { useVSock: true } }), /^ERR_NOT_SUPPORTED: agentConfig.useVSock/);
  assert.match(
    check({ agentConfig: { longLiveConn: false } }),
    /^ERR_NOT_SUPPORTED: agentConfig.longLiveConn/,
  );
  assert.match(check({ agentType: "hyperstart", agentConfig }), /^ERR_CONFIG_UNKNOWN_FIELD/);
  const networkConfig = { portmappingWhiteLists: { internalNetworks: [], externalNetworks: [] } };
  assert.match(check({ networkConfig }), /^ERR_NOT_SUPPORTED: networkConfig.portmappingWhiteLists/);
});

test("a full specification is checked by its own names", () => {
  const specified = (spec: object, more: object = {}) =>
    check({ containers: [{ ...container, ociSpec: { ...ociSpec, ...spec }, ...more }] });
  const linux: OciSpec["linux"] = {
    namespaces: [{ type: "pid" }, { type: "network", path: "/x" }],
    resources: { memory: { limit: 1 << 20 }, devices: [{ allow: false, major: -1, access: "rwm" }] },
    seccomp: { defaultAction: "SCMP_ACT_ERRNO", syscalls: [{ names: ["read"], action: "SCMP_ACT_ALLOW" }] },
    devices: [{ path: "/dev/x", type: "c", major: 1, minor: 3 }],
    maskedPaths: ["/proc/kcore"],
    sysctl: { "net.ipv4.ip_forward": "1" },
  };
  assert.equal(specified({ linux, mounts: [{ destination: "/proc", type: "proc" }] }), "ok");
  assert.match(specified({ lunix: {} }), /^ERR_CONFIG_UNKNOWN_FIELD: .*ociSpec.lunix; did you mean "linux"/);
  assert.match(
    specified({ process: { ...ociSpec.process, args: [] } }),
    /ociSpec.process.args: must not be empty/,
  );
  assert.match(
    specified({ process: { ...ociSpec.process, cwd: "x" } }),
    /ociSpec.process.cwd: must be absolute/,
  );
  assert.match(
    specified({ linux: { namespaces: [{ type: "time" }] } }),
    /namespaces\[0\].type: unknown kind "time"/,
  );
  assert.match(specified({ linux: { resources: { pids: { limit: 0 } } } }), /resources.pids.limit/);
});

test("a specification leaves no room for what it replaces, and is for this agent alone", () => {
  const beside = (more: object) => check({ containers: [{ ...container, ociSpec, ...more }] });
  for (const [field, value] of Object.entries({
    mounts: [],
    deviceInfos: [],
    resources: {},
    readonlyRootfs: true,
  }))
    assert.match(
      beside({ [field]: value }),
      new RegExp(`^ERR_CONFIG_INVALID: .*${field}: cannot be given beside`),
    );
  assert.match(beside({ cmd: { args: ["x"], interactive: true } }), /cmd.interactive: must be as ociSpec/);
  assert.match(
    check({ agentType: "hyperstart", containers: [{ ...container, ociSpec }] }),
    /^ERR_NOT_SUPPORTED: .*takes no ociSpec/,
  );
});

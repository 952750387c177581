import assert from "node:assert/strict";
import { test } from "node:test";
import { checkPodConfig } from "./schema.ts";

const container = { id: "c", rootFs: "/r", cmd: { args: ["true"] } };

/** Wrong values for every field of every structure, and how a configuration holds such a structure. */
const WRONG: Record<string, { fields: Record<string, unknown>; within: (structure: object) => object }> = {
  PodConfig: {
    within: (structure) => structure,
    fields: {
      hostname: 1,
      hooks: [],
      vmConfig: 1,
      hypervisorType: 1,
      hypervisorConfig: "qemu",
      agentType: "nonsense",
      agentConfig: 1,
      proxyType: 1,
      proxyConfig: 1,
      shimType: 1,
      shimConfig: 1,
      networkModel: 1,
      networkConfig: 1,
      volumes: {},
      containers: {},
      annotations: [],
    },
  },
  Resources: { within: (vmConfig) => ({ vmConfig }), fields: { vcpus: 0, memory: 1.5 } },
  HypervisorConfig: {
    within: (hypervisorConfig) => ({ hypervisorConfig }),
    fields: {
      kernelPath: "",
      imagePath: 1,
      firmwarePath: 1,
      machineAccelerators: 1,
      hypervisorPath: "a\0b",
      disableBlockDeviceUse: "yes",
      kernelParams: { quiet: true },
      hypervisorParams: "-s",
      hypervisorMachineType: "q36",
      debug: 1,
      defaultVCPUs: 0,
      defaultMaxVCPUs: 241,
      memSlots: -1,
      defaultMemSz: -1,
      defaultBridges: -1,
      memPrealloc: 1,
      hugePages: 1,
      realtime: 1,
      mlock: 1,
      disableNestingChecks: 1,
    },
  },
  Param: {
    within: (param) => ({ hypervisorConfig: { kernelParams: [param] } }),
    fields: { key: "", value: 1 },
  },
  Hook: {
    within: (hook) => ({ hooks: { preStartHooks: [hook] } }),
    fields: { path: "relative", args: "a", env: ["=x"], timeout: 0.5 },
  },
  ProxyConfig: { within: (proxyConfig) => ({ proxyConfig }), fields: { path: 1, debug: 1 } },
  ShimConfig: {
    within: (shimConfig) => ({ shimConfig }),
    fields: { path: "", debug: 1, log: { maxBytes: 1 }, exitCommand: "true" },
  },
  NetworkConfig: {
    within: (networkConfig) => ({ networkConfig }),
    fields: { netNSPath: 1, numInterfaces: -1, interworkingModel: 4 },
  },
  Volume: { within: (volume) => ({ volumes: [volume] }), fields: { mountTag: 1, hostPath: 1 } },
  ContainerConfig: {
    within: (changes) => ({ containers: [{ ...container, ...changes }] }),
    fields: {
      rootFs: "",
      readonlyRootfs: 1,
      cmd: [],
      annotations: { key: 1 },
      mounts: {},
      deviceInfos: {},
    },
  },
  Cmd: {
    within: (cmd) => ({ containers: [{ ...container, cmd: { args: ["true"], ...cmd } }] }),
    fields: {
      args: [],
      envs: ["A=b"],
      workDir: 1,
      user: 0,
      primaryGroup: 0,
      supplementaryGroups: [0],
      interactive: 1,
      console: 1,
      detach: 1,
      noNewPrivileges: 1,
      capabilities: [],
    },
  },
  LinuxCapabilities: {
    within: (capabilities) => ({ containers: [{ ...container, cmd: { args: ["true"], capabilities } }] }),
    fields: { bounding: "ALL", effective: [1], inheritable: {}, permitted: [""], ambient: 1 },
  },
  Mount: {
    within: (mount) => ({
      containers: [{ ...container, mounts: [{ source: "/a", destination: "/b", ...mount }] }],
    }),
    fields: { source: 1, destination: 1, type: 1, options: "ro", hostPath: 1, readOnly: 1 },
  },
  DeviceInfo: {
    within: (device) => ({ containers: [{ ...container, deviceInfos: [device] }] }),
    fields: {
      hostPath: 1,
      containerPath: 1,
      devType: 1,
      major: -1,
      minor: "0",
      fileMode: "0600",
      uid: -1,
      gid: 0.5,
      hotplugged: 1,
      id: 1,
    },
  },
};

for (const [structure, { fields, within }] of Object.entries(WRONG)) {
  test(`a wrong value in ${structure} is refused by the name of its field`, () => {
    for (const [field, value] of Object.entries(fields)) {
      const config = { id: "pod", ...within({ [field]: value }) };
      const named = new RegExp(`(^|[.\\]])${field}[^ ]*: `);
      assert.throws(() => checkPodConfig(config), { code: "ERR_CONFIG_INVALID", message: named }, field);
    }
  });
}

import { existsSync } from "node:fs";
import { HuskError } from "../errors/index.ts";
import type { PodConfig } from "../types/index.ts";
import { flag, integer, kind, list, object, type Rule, text } from "./rules.ts";

/** Bytes of one page, the least that a pipe has, and the most that one may have here. */
const MIN_PIPE_BYTES = 4096;
const MAX_PIPE_BYTES = 16 * 1024 * 1024;

/** A module's name and its parameters. */
function kernelModule(value: unknown, at: string): void {
  text({ max: 1024, empty: false })(value, at);
  if (/^[A-Za-z0-9_-]{1,64}( +[A-Za-z0-9_.-]+(=\S*)?)*$/.test(value as string)) return;
  throw new HuskError("ERR_CONFIG_INVALID", `${at}: must be a name and parameters, as "e1000e EEE=1"`);
}

const kataFields = {
  protocol: kind(["ttrpc", "grpc"]),
  longLiveConn: flag,
  useVSock: flag,
  debug: flag,
  kernelModules: list(kernelModule),
  containerPipeSize: integer(MIN_PIPE_BYTES, MAX_PIPE_BYTES),
};
const kata = object(kataFields);
const none = object({});

/** What all kinds take together; whose it is, is checked with the pod. */
export const agentConfig: Rule = kata;

/**
 * Checks the settings of a pod's agent, and what the agent cannot do.
 * @throws HuskError ERR_CONFIG_UNKNOWN_FIELD, ERR_NOT_SUPPORTED
 */
export function checkAgentConfig(config: PodConfig): void {
  const { agentType = "hyperstart", networkConfig } = config;
  if (agentType !== "kata") {
    if (config.agentConfig) none(config.agentConfig, "agentConfig");
    return;
  }
  if (networkConfig?.portmappingWhiteLists) {
    const hint = 'Leave it out, or use agentType: "hyperstart".';
    const text = "networkConfig.portmappingWhiteLists: the agent kata cannot map ports in the guest";
    throw new HuskError("ERR_NOT_SUPPORTED", text, { hint });
  }
  if (config.agentConfig?.useVSock) checkVSock();
  if (config.agentConfig?.longLiveConn === false) {
    const hint = "Leave agentConfig.longLiveConn out.";
    const text = "agentConfig.longLiveConn: a connection lives as long as its session, not for one call";
    throw new HuskError("ERR_NOT_SUPPORTED", text, { hint });
  }
}

const VHOST_VSOCK = "/dev/vhost-vsock";

/** Even where the host has the device: Node opens no sockets of this kind. */
function checkVSock(): void {
  const hint = "Leave agentConfig.useVSock out: the agent is then reached by a serial port.";
  const why = existsSync(VHOST_VSOCK)
    ? "husk cannot open such sockets yet"
    : `the host has no ${VHOST_VSOCK} (the module vhost_vsock)`;
  const text = `agentConfig.useVSock: the agent cannot be reached by vsock: ${why}`;
  throw new HuskError("ERR_NOT_SUPPORTED", text, { hint });
}

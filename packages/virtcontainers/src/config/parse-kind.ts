import { HuskError } from "../errors/index.ts";
import {
  AgentType,
  HypervisorType,
  NetInterworkingModel,
  NetworkModel,
  ProcessListFormat,
  ProxyType,
  ShimType,
  SocketType,
  State,
} from "../types/kinds.ts";
import { suggestName } from "./nearest-name.ts";

/** Makes a parser of the names of an enumeration, which throws ERR_CONFIG_INVALID with the nearest name. */
function parserOf<T extends string | number>(what: string, kinds: Readonly<Record<string, T>>) {
  return (name: string): T => {
    const value = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (value !== undefined) return value;
    const text = `unknown ${what} ${JSON.stringify(name.slice(0, 80))}; ${suggestName(name, Object.keys(kinds))}`;
    throw new HuskError("ERR_CONFIG_INVALID", text);
  };
}

/** Parses the name of a kind of hypervisor. Go: `HypervisorType.Set`. @throws HuskError ERR_CONFIG_INVALID */
export const parseHypervisorType = parserOf("hypervisor type", HypervisorType);
/** Parses the name of a kind of agent. Go: `AgentType.Set`. @throws HuskError ERR_CONFIG_INVALID */
export const parseAgentType = parserOf("agent type", AgentType);
/** Parses the name of a kind of socket. @throws HuskError ERR_CONFIG_INVALID */
export const parseSocketType = parserOf("socket type", SocketType);
/** Parses the name of a kind of proxy. Go: `ProxyType.Set`. @throws HuskError ERR_CONFIG_INVALID */
export const parseProxyType = parserOf("proxy type", ProxyType);
/** Parses the name of a kind of shim. Go: `ShimType.Set`. @throws HuskError ERR_CONFIG_INVALID */
export const parseShimType = parserOf("shim type", ShimType);
/** Parses the name of a kind of network. Go: `NetworkModel.Set`. @throws HuskError ERR_CONFIG_INVALID */
export const parseNetworkModel = parserOf("network model", NetworkModel);
/** Parses the name of a state. @throws HuskError ERR_CONFIG_INVALID */
export const parseState = parserOf("state", State);
/** Parses the name of a form of process lists. @throws HuskError ERR_CONFIG_INVALID */
export const parseProcessListFormat = parserOf("process list format", ProcessListFormat);

const { invalid: _, ...VALID_MODELS } = NetInterworkingModel;
/** Parses the name of an interworking model (`bridged`). Go: `SetModel`. @throws HuskError ERR_CONFIG_INVALID */
export const parseNetInterworkingModel = parserOf("interworking model", VALID_MODELS);

/** Whether a number is an interworking model. Go: `IsValid`. */
export function isNetInterworkingModel(model: number): boolean {
  return Object.values<number>(VALID_MODELS).includes(model);
}

/** Name of an interworking model, which `parseNetInterworkingModel` takes. @throws HuskError ERR_CONFIG_INVALID */
export function formatNetInterworkingModel(model: number): string {
  const found = Object.entries(VALID_MODELS).find(([, value]) => value === model);
  if (found) return found[0];
  throw new HuskError("ERR_CONFIG_INVALID", `${model} is no interworking model`);
}

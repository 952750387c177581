import { HuskError } from "../errors/index.ts";
import type { NetworkModel } from "../types/index.ts";
import { noopNetwork } from "./noop.ts";
import type { Network } from "./types.ts";

/** The kinds of networks. */
const NETWORKS: Partial<Record<NetworkModel, Network>> = { noop: noopNetwork };

/** A kind of network set-up. @throws HuskError ERR_NOT_SUPPORTED */
export function networkOf(model: NetworkModel = "noop"): Network {
  const network = NETWORKS[model];
  if (network) return network;
  throw new HuskError("ERR_NOT_SUPPORTED", `networkModel ${model} is not supported yet`);
}

import { HuskError } from "../errors/index.ts";
import type { NetworkModel } from "../types/index.ts";
import { cniNetwork } from "./cni/index.ts";
import { cnmNetwork } from "./cnm.ts";
import { noopNetwork } from "./noop.ts";
import type { Network, NetworkJoiner } from "./types.ts";
import { userNetwork } from "./user.ts";

/** The kinds of networks. */
const NETWORKS: Partial<Record<NetworkModel, Network>> = {
  noop: noopNetwork,
  CNI: cniNetwork,
  CNM: cnmNetwork,
  user: userNetwork,
};

/** A kind of network set-up. @throws HuskError ERR_NOT_SUPPORTED */
export function networkOf(model: NetworkModel = "noop"): Network {
  const network = NETWORKS[model];
  if (network) return network;
  throw new HuskError("ERR_NOT_SUPPORTED", `networkModel ${model} is not supported yet`);
}

/** A kind of network set-up that can join more networks later. @throws HuskError ERR_NOT_SUPPORTED */
export function joinerOf(model: NetworkModel = "noop"): NetworkJoiner {
  const network = networkOf(model);
  if ("join" in network) return network as NetworkJoiner;
  const hint = "Put a link into the pod's network namespace, and add that.";
  throw new HuskError(
    "ERR_NOT_SUPPORTED",
    `a pod with the network model ${model} joins no networks by name`,
    { hint },
  );
}

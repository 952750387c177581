import { HuskError } from "../../errors/index.ts";
import { NetInterworkingModel } from "../../types/kinds.ts";
import { isForVms } from "../endpoints/endpoint-kind.ts";
import type { Endpoint, JoinModel } from "../types.ts";

/**
 * How an endpoint is joined to the VM. What was made for VMs they get as it is. An ipvlan interface is joined by a filter
 * whatever the model is, unless that refuses it: it cannot have another hardware address.
 * @throws HuskError ERR_NOT_SUPPORTED for what the model does not take
 */
export function chooseJoin(
  model: NetInterworkingModel = NetInterworkingModel.default,
  { kind, name }: Pick<Endpoint, "kind" | "name">,
): JoinModel {
  if (kind === "user" || isForVms(kind)) return "direct";
  switch (model) {
    case NetInterworkingModel.enlightened:
      throw new HuskError("ERR_NOT_SUPPORTED", `${name} is a ${kind} interface, which is not made for VMs`, {
        hint: "The model enlightened takes tap, macvtap, vhost-user and physical interfaces; use tcFilter.",
      });
    case NetInterworkingModel.bridged:
      if (kind === "veth") return "bridged";
      throw new HuskError("ERR_NOT_SUPPORTED", `${name} is a ${kind} interface, which cannot be bridged`, {
        hint: "Join it by tcFilter.",
      });
    case NetInterworkingModel.macvtap:
      return kind === "ipvlan" ? "tcFilter" : "macvtap";
    default:
      return "tcFilter";
  }
}

import { checkInterfaceRequest } from "../config/network-schema.ts";
import { HuskError } from "../errors/index.ts";
import { type NicHotplug, nicHotplugOf } from "../hypervisor/types.ts";
import { checkLinks } from "../network/check-links.ts";
import { joinerOf, networkOf } from "../network/index.ts";
import { chooseJoin, connectEndpoint } from "../network/interworking/index.ts";
import { endpointOf, nicOf } from "../network/set-up.ts";
import { siteOf } from "../network/site.ts";
import type { Endpoint, EndpointRecord, NetworkRecord, NetworkSite } from "../network/types.ts";
import { checkState } from "../state-machine.ts";
import { takenAddresses } from "../store/pod-record.ts";
import type { CallOptions, InterfaceRequest, PodInterface } from "../types/index.ts";
import { UndoStack } from "../undo-stack.ts";
import { setUpInterfaces } from "./boot.ts";
import { Call } from "./call.ts";
import { changePod } from "./change-pod.ts";
import { networkOptions } from "./network-options.ts";
import { podInterface, podInterfaces } from "./network-status.ts";
import { lookAtPod, type OpenPod } from "./open-pod.ts";
import { needSession } from "./session.ts";
import { takeOutUnsettled } from "./unsettled-interfaces.ts";
import { vmSizeOf } from "./vm-size.ts";

/**
 * Lists the network interfaces of a pod; one that has no network, or no VM, has none. Ours alone; Kata: `ListInterfaces`.
 * @throws HuskError ERR_POD_NOT_FOUND, ERR_STATE_CORRUPT, ERR_STATE_VERSION
 */
export async function listInterfaces(podId: string, options: CallOptions = {}): Promise<PodInterface[]> {
  const { record } = lookAtPod(podId, new Call(options));
  return record.vm ? podInterfaces(record) : [];
}

/**
 * Adds a network interface to a pod that has a VM: joins one more CNI network, or takes a link that somebody has put into
 * the pod's namespace. The guest gets it with its addresses and routes. Ours alone; Kata: `AddInterface`.
 * @throws HuskError ERR_CONFIG_INVALID, ERR_STATE_INVALID, ERR_NOT_SUPPORTED (the pod has no namespace, the machine cannot take
 *   it, the model of the network has no networks to join), ERR_NO_DEVICE_SLOT, ERR_NETWORK_LINK, ERR_NETWORK_CLASH,
 *   ERR_CNI_CONFIG, ERR_CNI_PLUGIN, ERR_CNI_RESULT, ERR_AGENT_REFUSED, ERR_QMP
 */
export async function addInterface(
  podId: string,
  request: InterfaceRequest,
  options: CallOptions = {},
): Promise<PodInterface> {
  checkInterfaceRequest(request);
  return changePod(podId, new Call(options), async (pod) => {
    checkState({ podId }, pod.state, ["ready", "running"], "to get a network interface");
    const site = siteOfRunning(pod);
    const hotplug = needHotplug(pod);
    await using undo = new UndoStack();
    pod.announceChange();
    let joined: EndpointRecord | undefined;
    // When this fails, the change stays announced, and the next call tries again.
    undo.push(async () => {
      if (joined) joined.unsettled = true;
      await takeOutUnsettled(pod);
      pod.save();
    });
    const name = await findName(pod, site, request);
    pod.call.mark("network-joined");
    joined = await noteEndpoint(pod, site, name);
    await plug(pod, site, joined, hotplug);
    delete joined.unsettled;
    pod.save();
    undo.commit();
    return podInterface(joined);
  });
}

/**
 * Takes a network interface out that was added while the pod ran, and leaves its network. Ours alone; Kata: `RemoveInterface`.
 * @throws HuskError ERR_STATE_INVALID, ERR_NETWORK_LINK when the pod has no such interface, ERR_NOT_SUPPORTED for one that was
 *   there when the VM started, ERR_TIMEOUT when the guest does not give it back, ERR_CNI_PLUGIN, ERR_QMP
 */
export async function removeInterface(
  podId: string,
  name: string,
  options: CallOptions = {},
): Promise<PodInterface> {
  return changePod(podId, new Call(options), async (pod) => {
    checkState({ podId }, pod.state, ["ready", "running"], "to lose a network interface");
    const joined = endpointOf(siteOfRunning(pod), name);
    const told = podInterface(joined);
    if (!told.removable) {
      const text = `the interface "${name}" was there when the VM of pod "${podId}" started, and cannot be taken out`;
      throw new HuskError("ERR_NOT_SUPPORTED", text, {
        hint: "Only what addInterface has added can be removed while the pod runs.",
        podId,
      });
    }
    joined.unsettled = true;
    pod.announceChange();
    await takeOutUnsettled(pod);
    pod.save();
    return told;
  });
}

/**
 * Checks that all interfaces of a pod are still there on the host as they were set up, and asks CNI plugins the same
 * (CHECK). Ours alone.
 * @throws HuskError ERR_NETWORK_LINK, ERR_NETWORK_NAMESPACE, ERR_CNI_PLUGIN with what is wrong
 */
export async function checkNetwork(podId: string, options: CallOptions = {}): Promise<void> {
  await changePod(podId, new Call(options), async (pod) => {
    const { network, config } = pod.record;
    if (!network) return;
    const site = siteOf(pod.record, network, networkOptions(pod));
    if (network.netNSPath !== undefined) await checkLinks(site);
    await networkOf(config.networkModel).checkNetworks?.(site);
  });
}

function siteOfRunning(pod: OpenPod): NetworkSite & { record: NetworkRecord } {
  const { network } = pod.record;
  if (network?.netNSPath !== undefined) return siteOf(pod.record, network, networkOptions(pod));
  const text = `pod "${pod.id}" has no network namespace that an interface could be taken from`;
  const hint = "Create it with the network model CNI or CNM.";
  throw new HuskError("ERR_NOT_SUPPORTED", text, { hint, podId: pod.id });
}

/** The name of the link that is asked for, after joining the network that it comes from. */
async function findName(pod: OpenPod, site: NetworkSite, request: InterfaceRequest): Promise<string> {
  if ("link" in request) return request.link;
  return joinerOf(pod.record.config.networkModel).join(site, request.network);
}

/** Finds a link in the pod's namespace, and stores that it is about to be the VM's. */
async function noteEndpoint(pod: OpenPod, site: NetworkSite, name: string): Promise<EndpointRecord> {
  if (site.record.endpoints.some(({ endpoint }) => endpoint.name === name)) {
    const text = `pod "${pod.id}" has an interface "${name}" already`;
    throw new HuskError("ERR_NETWORK_CLASH", text, { podId: pod.id });
  }
  const found: Endpoint[] = await networkOf(pod.record.config.networkModel).findEndpoints(site);
  const endpoint = found.find((one) => one.name === name);
  if (!endpoint) {
    const text = `the network namespace ${site.record.netNSPath} has no interface "${name}" that a VM could have`;
    throw new HuskError("ERR_NETWORK_LINK", text, { podId: pod.id });
  }
  const model = chooseJoin(site.config.interworkingModel, endpoint);
  const joined: EndpointRecord = { endpoint, model, unsettled: true };
  site.record.endpoints.push(joined);
  site.save();
  return joined;
}

function needHotplug({ hypervisor, id: podId }: OpenPod): NicHotplug {
  const hotplug = nicHotplugOf(hypervisor);
  if (hotplug) return hotplug;
  const hint = "Create the pod with the machine type q35 or pc, and with defaultBridges (husk run: --slots).";
  const text = "this pod's VM cannot take a network interface while it runs";
  throw new HuskError("ERR_NOT_SUPPORTED", text, { hint, podId });
}

/** Connects an endpoint to the running VM, and sets it up in the guest. */
async function plug(
  pod: OpenPod,
  site: NetworkSite,
  joined: EndpointRecord,
  hotplug: NicHotplug,
): Promise<void> {
  const { record, directory, call } = pod;
  const link = await connectEndpoint(joined, site, vmSizeOf(record.config).vcpus);
  if (!("backend" in link)) {
    const text = `the physical interface "${joined.endpoint.name}" cannot be given to a VM that runs`;
    throw new HuskError("ERR_NOT_SUPPORTED", text, { podId: pod.id });
  }
  const nic = { ...nicOf(joined), backend: link.backend };
  const { netNSPath } = site.record;
  joined.addr = await hotplug.hotplugAddNic(nic, directory, takenAddresses(record), { ...call, netNSPath });
  site.save();
  call.mark("interface-plugged");
  const session = await needSession(pod);
  const all = site.record.endpoints.map(({ endpoint }) => endpoint);
  await setUpInterfaces(session, [joined.endpoint], all, call);
  call.mark("interface-ready");
}

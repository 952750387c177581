/** Version of the file that a proxy leaves for the one that comes after it. */
export const PROXY_STATE_VERSION = 1;

/** The VM of a proxy, in that file. */
export interface ProxyVm {
  /** the pod whose VM it is */
  containerId: string;
  /** socket of the agent's control channel */
  ctlSerial: string;
  /** socket of the agent's stream channel */
  ioSerial: string;
}

/** What the first proxy finds of a VM whose agent serves already: it takes that over as from another proxy. */
export function encodeFirstProxyState(vm: ProxyVm): string {
  return JSON.stringify({ version: PROXY_STATE_VERSION, vm, nextSeq: 0, sessions: [] });
}

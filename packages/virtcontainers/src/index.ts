export { attachContainer } from "./api/attach-container.ts";
export {
  type CreatedContainer,
  createContainer,
  deleteContainer,
  startContainer,
  stopContainer,
} from "./api/container-life.ts";
export { updateContainer } from "./api/container-limits.ts";
export { pauseContainer, resumeContainer } from "./api/container-pause.ts";
export {
  type EnteredContainer,
  enterContainer,
  processListContainer,
  signalProcess,
  statusContainer,
} from "./api/container-process.ts";
export { copyToContainer } from "./api/copy-to-container.ts";
export { createPod, runPod } from "./api/create-pod.ts";
export { deletePod } from "./api/delete-pod.ts";
export { addInterface, checkNetwork, listInterfaces, removeInterface } from "./api/interfaces.ts";
export { killContainer } from "./api/kill-container.ts";
export { pausePod, resumePod } from "./api/pause-pod.ts";
export { prepareContainer } from "./api/prepare-container.ts";
export { readLog } from "./api/read-log.ts";
export { startPod } from "./api/start-pod.ts";
export { statsContainer, statsPod } from "./api/stats.ts";
export { listPod, statusPod } from "./api/status-pod.ts";
export { stopPod } from "./api/stop-pod.ts";
export { createTemplate, destroyTemplates, listTemplates } from "./api/templates.ts";
export { updatePod } from "./api/update-pod.ts";
export { openVmCache, serveVmCache, statusVmCache, stopVmCache } from "./api/vm-cache.ts";
export { waitContainer } from "./api/wait-container.ts";
export { formatSockets, formatVolumes, parseSockets, parseVolumes } from "./config/colon-lists.ts";
export {
  formatNetInterworkingModel,
  isNetInterworkingModel,
  parseAgentType,
  parseHypervisorType,
  parseNetInterworkingModel,
  parseNetworkModel,
  parseProcessListFormat,
  parseProxyType,
  parseShimType,
  parseSocketType,
  parseState,
} from "./config/parse-kind.ts";
export {
  ERROR_CATALOGUE,
  type ErrorCode,
  type ErrorEntry,
  HuskError,
  isHuskError,
  renderErrorCatalogue,
} from "./errors/index.ts";
export { type AcceleratorChoice, chooseAccelerator } from "./hypervisor/qemu/accelerator.ts";
export { MIN_MEMORY_MIB } from "./hypervisor/types.ts";
export { cacheDirectory, stateDirectory } from "./store/directories.ts";
export * from "./types/index.ts";

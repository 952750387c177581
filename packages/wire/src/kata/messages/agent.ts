// Made from proto/agent.proto by scripts/kata-messages.ts: change that, and run this.
import { type Message, type MessageType, messageType } from "../../protobuf/index.ts";
import { LinuxResources, Process, Spec } from "./oci.ts";
import { ARPNeighbor, type FSGroupChangePolicy, Interface, Route } from "./types.ts";

/** A user by names or numbers, looked up in the container's root file system. */
export interface StringUser extends Message {
  uid: string;
  gid: string;
  additionalGids: string[];
}
export const StringUser: MessageType<StringUser> = /* @__PURE__ */ messageType(
  "grpc.StringUser",
  "1s uid 2s gid 3*s additionalGids",
);

/** A device of the guest that a container gets. */
export interface Device extends Message {
  /** address on its bus, as the driver has it */
  id: string;
  /** driver: "blk", "scsi", "vfio-pci", … */
  type: string;
  /** path in the guest, when the host knows it */
  vmPath: string;
  /** path in the container, as in the specification's devices; "" only waits for the device */
  containerPath: string;
  /** for the driver */
  options: string[];
}
export const Device: MessageType<Device> = /* @__PURE__ */ messageType(
  "grpc.Device",
  "1s id 2s type 3s vmPath 4s containerPath 5*s options",
);

/** Group that a volume's files are given to. */
export interface FSGroup extends Message {
  /** Number 1 has never been in use. */
  groupId: number;
  groupChangePolicy: FSGroupChangePolicy;
}
export const FSGroup: MessageType<FSGroup> = /* @__PURE__ */ messageType(
  "grpc.FSGroup",
  "2u groupId 3i groupChangePolicy",
);

/** A file system for the guest to mount. */
export interface Storage extends Message {
  /** who finds the source: "blk", "scsi", "9p", "virtio-fs", "ephemeral", "local", … */
  driver: string;
  /** for the driver */
  driverOptions: string[];
  /** path or address of a device, a tag, a name, as the driver has it */
  source: string;
  fstype: string;
  /** for mount(2) */
  options: string[];
  /** absolute path in the guest */
  mountPoint: string;
  fsGroup?: FSGroup;
}
export const Storage: MessageType<Storage> = /* @__PURE__ */ messageType(
  "grpc.Storage",
  "1s driver 2*s driverOptions 3s source 4s fstype 5*s options 6s mountPoint 7m fsGroup",
  [FSGroup],
);

/** A mount of one container that is shown to another. */
export interface SharedMount extends Message {
  name: string;
  /** container that has it, by the name that Kubernetes gives */
  srcCtr: string;
  srcPath: string;
  /** container that is shown it */
  dstCtr: string;
  dstPath: string;
}
export const SharedMount: MessageType<SharedMount> = /* @__PURE__ */ messageType(
  "grpc.SharedMount",
  "1s name 2s srcCtr 3s srcPath 4s dstCtr 5s dstPath",
);

export interface CreateContainerRequest extends Message {
  containerId: string;
  /** identifier of the first process */
  execId: string;
  /** user by name, instead of the one of `OCI` */
  stringUser?: StringUser;
  /** devices to wait for */
  devices: Device[];
  /** file systems to mount, in this order */
  storages: Storage[];
  OCI?: Spec;
  /** whether the container joins the pod's PID namespace; the one of `OCI` is not looked at */
  sandboxPidns: boolean;
  /** mounts that containers show each other. Kata 1.x has a boolean here, `agent_pidns` */
  sharedMounts: SharedMount[];
  /** vsock port of a stream that the host has opened for the first process's input, or 0 for none */
  stdinPort: number;
  stdoutPort: number;
  stderrPort: number;
}
export const CreateContainerRequest: MessageType<CreateContainerRequest> = /* @__PURE__ */ messageType(
  "grpc.CreateContainerRequest",
  "1s containerId 2s execId 3m stringUser 4*m devices 5*m storages 6m OCI 7t sandboxPidns 8*m sharedMounts 9u stdinPort 10u stdoutPort 11u stderrPort",
  [StringUser, Device, Storage, Spec, SharedMount],
);

export interface StartContainerRequest extends Message {
  containerId: string;
}
export const StartContainerRequest: MessageType<StartContainerRequest> = /* @__PURE__ */ messageType(
  "grpc.StartContainerRequest",
  "1s containerId",
);

export interface RemoveContainerRequest extends Message {
  containerId: string;
  /** seconds to wait for the processes to end, or 0 for ever */
  timeout: number;
}
export const RemoveContainerRequest: MessageType<RemoveContainerRequest> = /* @__PURE__ */ messageType(
  "grpc.RemoveContainerRequest",
  "1s containerId 2u timeout",
);

export interface ExecProcessRequest extends Message {
  containerId: string;
  execId: string;
  /** user by name, instead of the one of `process` */
  stringUser?: StringUser;
  process?: Process;
  /** as in CreateContainerRequest */
  stdinPort: number;
  stdoutPort: number;
  stderrPort: number;
}
export const ExecProcessRequest: MessageType<ExecProcessRequest> = /* @__PURE__ */ messageType(
  "grpc.ExecProcessRequest",
  "1s containerId 2s execId 3m stringUser 4m process 5u stdinPort 6u stdoutPort 7u stderrPort",
  [StringUser, Process],
);

export interface SignalProcessRequest extends Message {
  containerId: string;
  /** "" for all processes of the container */
  execId: string;
  signal: number;
}
export const SignalProcessRequest: MessageType<SignalProcessRequest> = /* @__PURE__ */ messageType(
  "grpc.SignalProcessRequest",
  "1s containerId 2s execId 3u signal",
);

export interface WaitProcessRequest extends Message {
  containerId: string;
  execId: string;
}
export const WaitProcessRequest: MessageType<WaitProcessRequest> = /* @__PURE__ */ messageType(
  "grpc.WaitProcessRequest",
  "1s containerId 2s execId",
);

export interface WaitProcessResponse extends Message {
  /** exit code, or 128 + the signal */
  status: number;
}
export const WaitProcessResponse: MessageType<WaitProcessResponse> = /* @__PURE__ */ messageType(
  "grpc.WaitProcessResponse",
  "1i status",
);

export interface ListProcessesRequest extends Message {
  containerId: string;
  /** "json" or "table" */
  format: string;
  /** arguments for ps(1), for a table */
  args: string[];
}
export const ListProcessesRequest: MessageType<ListProcessesRequest> = /* @__PURE__ */ messageType(
  "grpc.ListProcessesRequest",
  "1s containerId 2s format 3*s args",
);

export interface ListProcessesResponse extends Message {
  /** JSON array of process numbers in the guest, or a table */
  processList: Uint8Array;
}
export const ListProcessesResponse: MessageType<ListProcessesResponse> = /* @__PURE__ */ messageType(
  "grpc.ListProcessesResponse",
  "1b processList",
);

export interface UpdateContainerRequest extends Message {
  containerId: string;
  resources?: LinuxResources;
}
export const UpdateContainerRequest: MessageType<UpdateContainerRequest> = /* @__PURE__ */ messageType(
  "grpc.UpdateContainerRequest",
  "1s containerId 2m resources",
  [LinuxResources],
);

export interface StatsContainerRequest extends Message {
  containerId: string;
}
export const StatsContainerRequest: MessageType<StatsContainerRequest> = /* @__PURE__ */ messageType(
  "grpc.StatsContainerRequest",
  "1s containerId",
);

export interface PauseContainerRequest extends Message {
  containerId: string;
}
export const PauseContainerRequest: MessageType<PauseContainerRequest> = /* @__PURE__ */ messageType(
  "grpc.PauseContainerRequest",
  "1s containerId",
);

export interface ResumeContainerRequest extends Message {
  containerId: string;
}
export const ResumeContainerRequest: MessageType<ResumeContainerRequest> = /* @__PURE__ */ messageType(
  "grpc.ResumeContainerRequest",
  "1s containerId",
);

/** Times in nanoseconds. */
export interface CpuUsage extends Message {
  totalUsage: bigint;
  percpuUsage: bigint[];
  usageInKernelmode: bigint;
  usageInUsermode: bigint;
}
export const CpuUsage: MessageType<CpuUsage> = /* @__PURE__ */ messageType(
  "grpc.CpuUsage",
  "1U totalUsage 2*U percpuUsage 3U usageInKernelmode 4U usageInUsermode",
);

export interface ThrottlingData extends Message {
  periods: bigint;
  throttledPeriods: bigint;
  /** in nanoseconds */
  throttledTime: bigint;
}
export const ThrottlingData: MessageType<ThrottlingData> = /* @__PURE__ */ messageType(
  "grpc.ThrottlingData",
  "1U periods 2U throttledPeriods 3U throttledTime",
);

export interface CpuStats extends Message {
  cpuUsage?: CpuUsage;
  throttlingData?: ThrottlingData;
}
export const CpuStats: MessageType<CpuStats> = /* @__PURE__ */ messageType(
  "grpc.CpuStats",
  "1m cpuUsage 2m throttlingData",
  [CpuUsage, ThrottlingData],
);

export interface PidsStats extends Message {
  current: bigint;
  /** 0 for none */
  limit: bigint;
}
export const PidsStats: MessageType<PidsStats> = /* @__PURE__ */ messageType(
  "grpc.PidsStats",
  "1U current 2U limit",
);

/** In bytes, but for the count. */
export interface MemoryData extends Message {
  usage: bigint;
  maxUsage: bigint;
  /** how often the limit was met */
  failcnt: bigint;
  limit: bigint;
}
export const MemoryData: MessageType<MemoryData> = /* @__PURE__ */ messageType(
  "grpc.MemoryData",
  "1U usage 2U maxUsage 3U failcnt 4U limit",
);

export interface MemoryStats extends Message {
  /** bytes of the page cache */
  cache: bigint;
  usage?: MemoryData;
  swapUsage?: MemoryData;
  kernelUsage?: MemoryData;
  useHierarchy: boolean;
  /** memory.stat */
  stats: Map<string, bigint>;
}
export const MemoryStats: MessageType<MemoryStats> = /* @__PURE__ */ messageType(
  "grpc.MemoryStats",
  "1U cache 2m usage 3m swapUsage 4m kernelUsage 5t useHierarchy 6%U stats",
  [MemoryData, MemoryData, MemoryData],
);

export interface BlkioStatsEntry extends Message {
  major: bigint;
  minor: bigint;
  /** "Read", "Write", … */
  op: string;
  value: bigint;
}
export const BlkioStatsEntry: MessageType<BlkioStatsEntry> = /* @__PURE__ */ messageType(
  "grpc.BlkioStatsEntry",
  "1U major 2U minor 3s op 4U value",
);

export interface BlkioStats extends Message {
  ioServiceBytesRecursive: BlkioStatsEntry[];
  ioServicedRecursive: BlkioStatsEntry[];
  ioQueuedRecursive: BlkioStatsEntry[];
  ioServiceTimeRecursive: BlkioStatsEntry[];
  ioWaitTimeRecursive: BlkioStatsEntry[];
  ioMergedRecursive: BlkioStatsEntry[];
  ioTimeRecursive: BlkioStatsEntry[];
  sectorsRecursive: BlkioStatsEntry[];
}
export const BlkioStats: MessageType<BlkioStats> = /* @__PURE__ */ messageType(
  "grpc.BlkioStats",
  "1*m ioServiceBytesRecursive 2*m ioServicedRecursive 3*m ioQueuedRecursive 4*m ioServiceTimeRecursive 5*m ioWaitTimeRecursive 6*m ioMergedRecursive 7*m ioTimeRecursive 8*m sectorsRecursive",
  [
    BlkioStatsEntry,
    BlkioStatsEntry,
    BlkioStatsEntry,
    BlkioStatsEntry,
    BlkioStatsEntry,
    BlkioStatsEntry,
    BlkioStatsEntry,
    BlkioStatsEntry,
  ],
);

/** In bytes, but for the count. */
export interface HugetlbStats extends Message {
  usage: bigint;
  maxUsage: bigint;
  failcnt: bigint;
}
export const HugetlbStats: MessageType<HugetlbStats> = /* @__PURE__ */ messageType(
  "grpc.HugetlbStats",
  "1U usage 2U maxUsage 3U failcnt",
);

export interface CgroupStats extends Message {
  cpuStats?: CpuStats;
  memoryStats?: MemoryStats;
  pidsStats?: PidsStats;
  blkioStats?: BlkioStats;
  /** by the page's size: "2MB" */
  hugetlbStats: Map<string, HugetlbStats>;
}
export const CgroupStats: MessageType<CgroupStats> = /* @__PURE__ */ messageType(
  "grpc.CgroupStats",
  "1m cpuStats 2m memoryStats 3m pidsStats 4m blkioStats 5%m hugetlbStats",
  [CpuStats, MemoryStats, PidsStats, BlkioStats, HugetlbStats],
);

export interface NetworkStats extends Message {
  /** interface by its name in the guest */
  name: string;
  rxBytes: bigint;
  rxPackets: bigint;
  rxErrors: bigint;
  rxDropped: bigint;
  txBytes: bigint;
  txPackets: bigint;
  txErrors: bigint;
  txDropped: bigint;
}
export const NetworkStats: MessageType<NetworkStats> = /* @__PURE__ */ messageType(
  "grpc.NetworkStats",
  "1s name 2U rxBytes 3U rxPackets 4U rxErrors 5U rxDropped 6U txBytes 7U txPackets 8U txErrors 9U txDropped",
);

export interface StatsContainerResponse extends Message {
  cgroupStats?: CgroupStats;
  networkStats: NetworkStats[];
}
export const StatsContainerResponse: MessageType<StatsContainerResponse> = /* @__PURE__ */ messageType(
  "grpc.StatsContainerResponse",
  "1m cgroupStats 2*m networkStats",
  [CgroupStats, NetworkStats],
);

export interface WriteStreamRequest extends Message {
  containerId: string;
  execId: string;
  data: Uint8Array;
}
export const WriteStreamRequest: MessageType<WriteStreamRequest> = /* @__PURE__ */ messageType(
  "grpc.WriteStreamRequest",
  "1s containerId 2s execId 3b data",
);

export interface WriteStreamResponse extends Message {
  /** bytes taken */
  len: number;
}
export const WriteStreamResponse: MessageType<WriteStreamResponse> = /* @__PURE__ */ messageType(
  "grpc.WriteStreamResponse",
  "1u len",
);

export interface ReadStreamRequest extends Message {
  containerId: string;
  execId: string;
  /** most bytes to give */
  len: number;
  /** husk's own: bytes of the stream that the reader has for good; those behind them are kept until they are in here */
  acknowledged?: bigint;
  /** husk's own: the answer begins behind the acknowledged bytes, whatever another reader was sent */
  resume: boolean;
}
export const ReadStreamRequest: MessageType<ReadStreamRequest> = /* @__PURE__ */ messageType(
  "grpc.ReadStreamRequest",
  "1s containerId 2s execId 3u len 1000?U acknowledged 1001t resume",
);

export interface ReadStreamResponse extends Message {
  data: Uint8Array;
}
export const ReadStreamResponse: MessageType<ReadStreamResponse> = /* @__PURE__ */ messageType(
  "grpc.ReadStreamResponse",
  "1b data",
);

export interface CloseStdinRequest extends Message {
  containerId: string;
  execId: string;
}
export const CloseStdinRequest: MessageType<CloseStdinRequest> = /* @__PURE__ */ messageType(
  "grpc.CloseStdinRequest",
  "1s containerId 2s execId",
);

export interface TtyWinResizeRequest extends Message {
  containerId: string;
  execId: string;
  row: number;
  column: number;
}
export const TtyWinResizeRequest: MessageType<TtyWinResizeRequest> = /* @__PURE__ */ messageType(
  "grpc.TtyWinResizeRequest",
  "1s containerId 2s execId 3u row 4u column",
);

export interface KernelModule extends Message {
  name: string;
  /** "name=value" */
  parameters: string[];
}
export const KernelModule: MessageType<KernelModule> = /* @__PURE__ */ messageType(
  "grpc.KernelModule",
  "1s name 2*s parameters",
);

export interface CreateSandboxRequest extends Message {
  hostname: string;
  /** lines of /etc/resolv.conf */
  dns: string[];
  /** file systems for the whole pod */
  storages: Storage[];
  /** whether the containers share a PID namespace */
  sandboxPidns: boolean;
  sandboxId: string;
  /** absolute path in the guest below which hooks are looked for, or "" */
  guestHookPath: string;
  /** modules to load before all else */
  kernelModules: KernelModule[];
}
export const CreateSandboxRequest: MessageType<CreateSandboxRequest> = /* @__PURE__ */ messageType(
  "grpc.CreateSandboxRequest",
  "1s hostname 2*s dns 3*m storages 4t sandboxPidns 5s sandboxId 6s guestHookPath 7*m kernelModules",
  [Storage, KernelModule],
);

export interface DestroySandboxRequest extends Message {}
export const DestroySandboxRequest: MessageType<DestroySandboxRequest> = /* @__PURE__ */ messageType(
  "grpc.DestroySandboxRequest",
  "",
);

export interface RemoveStaleVirtiofsShareMountsRequest extends Message {}
export const RemoveStaleVirtiofsShareMountsRequest: MessageType<RemoveStaleVirtiofsShareMountsRequest> =
  /* @__PURE__ */ messageType("grpc.RemoveStaleVirtiofsShareMountsRequest", "");

export interface Interfaces extends Message {
  Interfaces: Interface[];
}
export const Interfaces: MessageType<Interfaces> = /* @__PURE__ */ messageType(
  "grpc.Interfaces",
  "1*m Interfaces",
  [Interface],
);

export interface Routes extends Message {
  Routes: Route[];
}
export const Routes: MessageType<Routes> = /* @__PURE__ */ messageType("grpc.Routes", "1*m Routes", [Route]);

export interface UpdateInterfaceRequest extends Message {
  interface?: Interface;
}
export const UpdateInterfaceRequest: MessageType<UpdateInterfaceRequest> = /* @__PURE__ */ messageType(
  "grpc.UpdateInterfaceRequest",
  "1m interface",
  [Interface],
);

/** Kata 1.x only. */
export interface AddInterfaceRequest extends Message {
  interface?: Interface;
}
export const AddInterfaceRequest: MessageType<AddInterfaceRequest> = /* @__PURE__ */ messageType(
  "grpc.AddInterfaceRequest",
  "1m interface",
  [Interface],
);

/** Kata 1.x only. */
export interface RemoveInterfaceRequest extends Message {
  interface?: Interface;
}
export const RemoveInterfaceRequest: MessageType<RemoveInterfaceRequest> = /* @__PURE__ */ messageType(
  "grpc.RemoveInterfaceRequest",
  "1m interface",
  [Interface],
);

export interface UpdateRoutesRequest extends Message {
  /** all routes that the guest is to have, but for the kernel's own */
  routes?: Routes;
}
export const UpdateRoutesRequest: MessageType<UpdateRoutesRequest> = /* @__PURE__ */ messageType(
  "grpc.UpdateRoutesRequest",
  "1m routes",
  [Routes],
);

export interface UpdateEphemeralMountsRequest extends Message {
  storages: Storage[];
}
export const UpdateEphemeralMountsRequest: MessageType<UpdateEphemeralMountsRequest> =
  /* @__PURE__ */ messageType("grpc.UpdateEphemeralMountsRequest", "1*m storages", [Storage]);

export interface ListInterfacesRequest extends Message {}
export const ListInterfacesRequest: MessageType<ListInterfacesRequest> = /* @__PURE__ */ messageType(
  "grpc.ListInterfacesRequest",
  "",
);

export interface ListRoutesRequest extends Message {}
export const ListRoutesRequest: MessageType<ListRoutesRequest> = /* @__PURE__ */ messageType(
  "grpc.ListRoutesRequest",
  "",
);

export interface ARPNeighbors extends Message {
  ARPNeighbors: ARPNeighbor[];
}
export const ARPNeighbors: MessageType<ARPNeighbors> = /* @__PURE__ */ messageType(
  "grpc.ARPNeighbors",
  "1*m ARPNeighbors",
  [ARPNeighbor],
);

export interface AddARPNeighborsRequest extends Message {
  neighbors?: ARPNeighbors;
}
export const AddARPNeighborsRequest: MessageType<AddARPNeighborsRequest> = /* @__PURE__ */ messageType(
  "grpc.AddARPNeighborsRequest",
  "1m neighbors",
  [ARPNeighbors],
);

export interface GetIPTablesRequest extends Message {
  isIpv6: boolean;
}
export const GetIPTablesRequest: MessageType<GetIPTablesRequest> = /* @__PURE__ */ messageType(
  "grpc.GetIPTablesRequest",
  "1t isIpv6",
);

export interface GetIPTablesResponse extends Message {
  data: Uint8Array;
}
export const GetIPTablesResponse: MessageType<GetIPTablesResponse> = /* @__PURE__ */ messageType(
  "grpc.GetIPTablesResponse",
  "1b data",
);

export interface SetIPTablesRequest extends Message {
  isIpv6: boolean;
  data: Uint8Array;
}
export const SetIPTablesRequest: MessageType<SetIPTablesRequest> = /* @__PURE__ */ messageType(
  "grpc.SetIPTablesRequest",
  "1t isIpv6 2b data",
);

export interface SetIPTablesResponse extends Message {
  /** what iptables-restore has printed */
  data: Uint8Array;
}
export const SetIPTablesResponse: MessageType<SetIPTablesResponse> = /* @__PURE__ */ messageType(
  "grpc.SetIPTablesResponse",
  "1b data",
);

export interface OnlineCPUMemRequest extends Message {
  /** whether the answer comes only when all is in use */
  wait: boolean;
  /** processors to wait for, or 0 for any number */
  nbCpus: number;
  /** whether memory is left alone */
  cpuOnly: boolean;
}
export const OnlineCPUMemRequest: MessageType<OnlineCPUMemRequest> = /* @__PURE__ */ messageType(
  "grpc.OnlineCPUMemRequest",
  "1t wait 2u nbCpus 3t cpuOnly",
);

export interface ReseedRandomDevRequest extends Message {
  /** Number 1 has never been in use. */
  data: Uint8Array;
}
export const ReseedRandomDevRequest: MessageType<ReseedRandomDevRequest> = /* @__PURE__ */ messageType(
  "grpc.ReseedRandomDevRequest",
  "2b data",
);

export interface AgentDetails extends Message {
  /** version of the agent, a semantic version */
  version: string;
  /** whether the agent is process 1 */
  initDaemon: boolean;
  /** drivers of devices that it knows */
  deviceHandlers: string[];
  /** drivers of storages that it knows */
  storageHandlers: string[];
  supportsSeccomp: boolean;
  /** abilities that an agent may be built without */
  extraFeatures: string[];
}
export const AgentDetails: MessageType<AgentDetails> = /* @__PURE__ */ messageType(
  "grpc.AgentDetails",
  "1s version 2t initDaemon 3*s deviceHandlers 4*s storageHandlers 5t supportsSeccomp 6*s extraFeatures",
);

export interface GuestDetailsRequest extends Message {
  /** whether `mem_block_size_bytes` is asked for */
  memBlockSize: boolean;
  /** whether `support_mem_hotplug_probe` is asked for */
  memHotplugProbe: boolean;
}
export const GuestDetailsRequest: MessageType<GuestDetailsRequest> = /* @__PURE__ */ messageType(
  "grpc.GuestDetailsRequest",
  "1t memBlockSize 2t memHotplugProbe",
);

export interface GuestDetailsResponse extends Message {
  /** bytes that memory is plugged in multiples of */
  memBlockSizeBytes: bigint;
  agentDetails?: AgentDetails;
  /** whether MemHotplugByProbe is of use */
  supportMemHotplugProbe: boolean;
}
export const GuestDetailsResponse: MessageType<GuestDetailsResponse> = /* @__PURE__ */ messageType(
  "grpc.GuestDetailsResponse",
  "1U memBlockSizeBytes 2m agentDetails 3t supportMemHotplugProbe",
  [AgentDetails],
);

export interface MemHotplugByProbeRequest extends Message {
  /** physical addresses */
  memHotplugProbeAddr: bigint[];
}
export const MemHotplugByProbeRequest: MessageType<MemHotplugByProbeRequest> = /* @__PURE__ */ messageType(
  "grpc.MemHotplugByProbeRequest",
  "1*U memHotplugProbeAddr",
);

export interface SetGuestDateTimeRequest extends Message {
  /** seconds since 1970 */
  Sec: bigint;
  /** microseconds of the second */
  Usec: bigint;
}
export const SetGuestDateTimeRequest: MessageType<SetGuestDateTimeRequest> = /* @__PURE__ */ messageType(
  "grpc.SetGuestDateTimeRequest",
  "1I Sec 2I Usec",
);

export interface CopyFileRequest extends Message {
  /** absolute path in the guest, below /run */
  path: string;
  /** bytes of the whole file; at that size it appears under its name */
  fileSize: bigint;
  fileMode: number;
  /** mode of the directories that have to be made */
  dirMode: number;
  uid: number;
  gid: number;
  /** where `data` belongs */
  offset: bigint;
  data: Uint8Array;
}
export const CopyFileRequest: MessageType<CopyFileRequest> = /* @__PURE__ */ messageType(
  "grpc.CopyFileRequest",
  "1s path 2I fileSize 3u fileMode 4u dirMode 5i uid 6i gid 7I offset 8b data",
);

export interface GetOOMEventRequest extends Message {}
export const GetOOMEventRequest: MessageType<GetOOMEventRequest> = /* @__PURE__ */ messageType(
  "grpc.GetOOMEventRequest",
  "",
);

export interface OOMEvent extends Message {
  containerId: string;
}
export const OOMEvent: MessageType<OOMEvent> = /* @__PURE__ */ messageType("grpc.OOMEvent", "1s containerId");

export interface AddSwapRequest extends Message {
  /** slot on each bridge, then the device's */
  PCIPath: number[];
}
export const AddSwapRequest: MessageType<AddSwapRequest> = /* @__PURE__ */ messageType(
  "grpc.AddSwapRequest",
  "1*u PCIPath",
);

export interface AddSwapPathRequest extends Message {
  path: string;
}
export const AddSwapPathRequest: MessageType<AddSwapPathRequest> = /* @__PURE__ */ messageType(
  "grpc.AddSwapPathRequest",
  "1s path",
);

export interface GetMetricsRequest extends Message {}
export const GetMetricsRequest: MessageType<GetMetricsRequest> = /* @__PURE__ */ messageType(
  "grpc.GetMetricsRequest",
  "",
);

export interface Metrics extends Message {
  metrics: string;
}
export const Metrics: MessageType<Metrics> = /* @__PURE__ */ messageType("grpc.Metrics", "1s metrics");

export interface GetDiagnosticDataRequest extends Message {
  /** "termination_log" */
  logType: string;
  containerId: string;
}
export const GetDiagnosticDataRequest: MessageType<GetDiagnosticDataRequest> = /* @__PURE__ */ messageType(
  "grpc.GetDiagnosticDataRequest",
  "1s logType 2s containerId",
);

export interface GetDiagnosticDataResponse extends Message {
  data: string;
}
export const GetDiagnosticDataResponse: MessageType<GetDiagnosticDataResponse> = /* @__PURE__ */ messageType(
  "grpc.GetDiagnosticDataResponse",
  "1s data",
);

export interface StartTracingRequest extends Message {}
export const StartTracingRequest: MessageType<StartTracingRequest> = /* @__PURE__ */ messageType(
  "grpc.StartTracingRequest",
  "",
);

export interface StopTracingRequest extends Message {}
export const StopTracingRequest: MessageType<StopTracingRequest> = /* @__PURE__ */ messageType(
  "grpc.StopTracingRequest",
  "",
);

export interface VolumeStatsRequest extends Message {
  /** path in the guest */
  volumeGuestPath: string;
}
export const VolumeStatsRequest: MessageType<VolumeStatsRequest> = /* @__PURE__ */ messageType(
  "grpc.VolumeStatsRequest",
  "1s volumeGuestPath",
);

export interface ResizeVolumeRequest extends Message {
  /** path in the guest */
  volumeGuestPath: string;
  /** in bytes */
  size: bigint;
}
export const ResizeVolumeRequest: MessageType<ResizeVolumeRequest> = /* @__PURE__ */ messageType(
  "grpc.ResizeVolumeRequest",
  "1s volumeGuestPath 2U size",
);

export interface SetPolicyRequest extends Message {
  /** in Rego */
  policy: string;
}
export const SetPolicyRequest: MessageType<SetPolicyRequest> = /* @__PURE__ */ messageType(
  "grpc.SetPolicyRequest",
  "1s policy",
);

/** What is left out stays as it is. */
export interface MemAgentMemcgConfig extends Message {
  disabled?: boolean;
  swap?: boolean;
  swappinessMax?: number;
  periodSecs?: bigint;
  periodPsiPercentLimit?: number;
  evictionPsiPercentLimit?: number;
  evictionRunAgingCountMin?: bigint;
}
export const MemAgentMemcgConfig: MessageType<MemAgentMemcgConfig> = /* @__PURE__ */ messageType(
  "grpc.MemAgentMemcgConfig",
  "1?t disabled 2?t swap 3?u swappinessMax 4?U periodSecs 5?u periodPsiPercentLimit 6?u evictionPsiPercentLimit 7?U evictionRunAgingCountMin",
);

/** What is left out stays as it is. */
export interface MemAgentCompactConfig extends Message {
  disabled?: boolean;
  periodSecs?: bigint;
  periodPsiPercentLimit?: number;
  compactPsiPercentLimit?: number;
  compactSecMax?: bigint;
  compactOrder?: number;
  compactThreshold?: bigint;
  compactForceTimes?: bigint;
}
export const MemAgentCompactConfig: MessageType<MemAgentCompactConfig> = /* @__PURE__ */ messageType(
  "grpc.MemAgentCompactConfig",
  "1?t disabled 2?U periodSecs 3?u periodPsiPercentLimit 4?u compactPsiPercentLimit 5?I compactSecMax 6?u compactOrder 7?U compactThreshold 8?U compactForceTimes",
);

// Made from proto/*.proto by scripts/kata-messages.ts: change those, and run this.
import type { Service } from "../../protobuf/index.ts";
import {
  AddARPNeighborsRequest,
  AddInterfaceRequest,
  AddSwapPathRequest,
  AddSwapRequest,
  CloseStdinRequest,
  CopyFileRequest,
  CreateContainerRequest,
  CreateSandboxRequest,
  DestroySandboxRequest,
  ExecProcessRequest,
  GetDiagnosticDataRequest,
  GetDiagnosticDataResponse,
  GetIPTablesRequest,
  GetIPTablesResponse,
  GetMetricsRequest,
  GetOOMEventRequest,
  GuestDetailsRequest,
  GuestDetailsResponse,
  Interfaces,
  ListInterfacesRequest,
  ListProcessesRequest,
  ListProcessesResponse,
  ListRoutesRequest,
  MemAgentCompactConfig,
  MemAgentMemcgConfig,
  MemHotplugByProbeRequest,
  Metrics,
  OnlineCPUMemRequest,
  OOMEvent,
  PauseContainerRequest,
  ReadStreamRequest,
  ReadStreamResponse,
  RemoveContainerRequest,
  RemoveInterfaceRequest,
  RemoveStaleVirtiofsShareMountsRequest,
  ReseedRandomDevRequest,
  ResizeVolumeRequest,
  ResumeContainerRequest,
  Routes,
  SetGuestDateTimeRequest,
  SetIPTablesRequest,
  SetIPTablesResponse,
  SetPolicyRequest,
  SignalProcessRequest,
  StartContainerRequest,
  StartTracingRequest,
  StatsContainerRequest,
  StatsContainerResponse,
  StopTracingRequest,
  TtyWinResizeRequest,
  UpdateContainerRequest,
  UpdateEphemeralMountsRequest,
  UpdateInterfaceRequest,
  UpdateRoutesRequest,
  VolumeStatsRequest,
  WaitProcessRequest,
  WaitProcessResponse,
  WriteStreamRequest,
  WriteStreamResponse,
} from "./agent.ts";
import { GrpcStatus, GrpcVM, GrpcVMConfig } from "./cache.ts";
import { VolumeStatsResponse } from "./csi.ts";
import { Empty } from "./empty.ts";
import { CheckRequest, HealthCheckResponse, VersionCheckResponse } from "./health.ts";
import { Interface } from "./types.ts";

export const AgentService = {
  name: "grpc.AgentService",
  methods: {
    /** Prepares devices, storages and the container's first process, which waits. */
    CreateContainer: { request: CreateContainerRequest, response: Empty },
    /** Lets the first process run. */
    StartContainer: { request: StartContainerRequest, response: Empty },
    /** Ends what still runs in a container, waits for it, and takes the container away. */
    RemoveContainer: { request: RemoveContainerRequest, response: Empty },
    /** Starts another process in a container. */
    ExecProcess: { request: ExecProcessRequest, response: Empty },
    /** Sends a signal to a process, or to all of a container. */
    SignalProcess: { request: SignalProcessRequest, response: Empty },
    /** Waits for a process to end; afterwards it is not known any more. */
    WaitProcess: { request: WaitProcessRequest, response: WaitProcessResponse },
    /** Lists a container's processes. Kata 1.x only, and husk. */
    ListProcesses: { request: ListProcessesRequest, response: ListProcessesResponse },
    /** Changes a container's resources. */
    UpdateContainer: { request: UpdateContainerRequest, response: Empty },
    /** Changes the sizes of file systems in memory. */
    UpdateEphemeralMounts: { request: UpdateEphemeralMountsRequest, response: Empty },
    /** Tells what a container uses. */
    StatsContainer: { request: StatsContainerRequest, response: StatsContainerResponse },
    /** Freezes all processes of a container. */
    PauseContainer: { request: PauseContainerRequest, response: Empty },
    /** Thaws them. */
    ResumeContainer: { request: ResumeContainerRequest, response: Empty },
    /** Takes away shared mounts whose sources have gone. */
    RemoveStaleVirtiofsShareMounts: { request: RemoveStaleVirtiofsShareMountsRequest, response: Empty },
    /** Writes to a process's standard input. */
    WriteStdin: { request: WriteStreamRequest, response: WriteStreamResponse },
    /** Waits for output of a process; at its end, an error. */
    ReadStdout: { request: ReadStreamRequest, response: ReadStreamResponse },
    /** The same for the error output. */
    ReadStderr: { request: ReadStreamRequest, response: ReadStreamResponse },
    /** Ends a process's standard input. */
    CloseStdin: { request: CloseStdinRequest, response: Empty },
    /** Sets the size of a process's terminal. */
    TtyWinResize: { request: TtyWinResizeRequest, response: Empty },
    /** Sets an interface up as described, and gives it as it then is. */
    UpdateInterface: { request: UpdateInterfaceRequest, response: Interface },
    /** Makes the guest's routes those given, and gives them as they then are. */
    UpdateRoutes: { request: UpdateRoutesRequest, response: Routes },
    ListInterfaces: { request: ListInterfacesRequest, response: Interfaces },
    ListRoutes: { request: ListRoutesRequest, response: Routes },
    AddARPNeighbors: { request: AddARPNeighborsRequest, response: Empty },
    /** Gives the rules as iptables-save prints them. */
    GetIPTables: { request: GetIPTablesRequest, response: GetIPTablesResponse },
    /** Sets the rules by iptables-restore. */
    SetIPTables: { request: SetIPTablesRequest, response: SetIPTablesResponse },
    /** Kata 1.x before 1.5 only. */
    AddInterface: { request: AddInterfaceRequest, response: Interface },
    /** Kata 1.x before 1.5 only. */
    RemoveInterface: { request: RemoveInterfaceRequest, response: Interface },
    /** Gives the agent's and the guest's figures in Prometheus's text format. */
    GetMetrics: { request: GetMetricsRequest, response: Metrics },
    /** Gives a text of a kind that is asked for. */
    GetDiagnosticData: { request: GetDiagnosticDataRequest, response: GetDiagnosticDataResponse },
    /** Kata 1.x only. */
    StartTracing: { request: StartTracingRequest, response: Empty },
    /** Kata 1.x only. */
    StopTracing: { request: StopTracingRequest, response: Empty },
    /** Configures the reclaiming of cold memory. */
    MemAgentMemcgSet: { request: MemAgentMemcgConfig, response: Empty },
    /** Configures the compaction of memory. */
    MemAgentCompactSet: { request: MemAgentCompactConfig, response: Empty },
    /** Prepares the pod; the first request, and once in a guest's life. */
    CreateSandbox: { request: CreateSandboxRequest, response: Empty },
    /** Ends all containers and undoes CreateSandbox. */
    DestroySandbox: { request: DestroySandboxRequest, response: Empty },
    /** Takes hot-plugged processors and memory into use. */
    OnlineCPUMem: { request: OnlineCPUMemRequest, response: Empty },
    /** Feeds the kernel's random number generator. */
    ReseedRandomDev: { request: ReseedRandomDevRequest, response: Empty },
    /** Tells what the guest can do. */
    GetGuestDetails: { request: GuestDetailsRequest, response: GuestDetailsResponse },
    /** Tells the kernel of hot-plugged memory, on machines where it does not see that. */
    MemHotplugByProbe: { request: MemHotplugByProbeRequest, response: Empty },
    /** Sets the guest's clock. */
    SetGuestDateTime: { request: SetGuestDateTimeRequest, response: Empty },
    /** Writes a piece of a file of the guest. */
    CopyFile: { request: CopyFileRequest, response: Empty },
    /** Waits until a container has run out of memory. */
    GetOOMEvent: { request: GetOOMEventRequest, response: OOMEvent },
    /** Swaps to a disk, by its PCI path. */
    AddSwap: { request: AddSwapRequest, response: Empty },
    /** Swaps to a disk, by its path in the guest. */
    AddSwapPath: { request: AddSwapPathRequest, response: Empty },
    GetVolumeStats: { request: VolumeStatsRequest, response: VolumeStatsResponse },
    ResizeVolume: { request: ResizeVolumeRequest, response: Empty },
    /** Sets the policy of what requests the agent takes. */
    SetPolicy: { request: SetPolicyRequest, response: Empty },
  },
} as const satisfies Service;

export const CacheService = {
  name: "cache.CacheService",
  methods: {
    /** Tells what the VMs are made of. */
    Config: { request: Empty, response: GrpcVMConfig },
    /** Gives a VM away; waits until there is one. */
    GetBaseVM: { request: Empty, response: GrpcVM },
    /** Tells which VMs are ready. */
    Status: { request: Empty, response: GrpcStatus },
    /** Ends the server, and the VMs that it has. */
    Quit: { request: Empty, response: Empty },
  },
} as const satisfies Service;

export const Health = {
  name: "grpc.Health",
  methods: {
    /** Tells whether the agent can serve. */
    Check: { request: CheckRequest, response: HealthCheckResponse },
    /** Tells the versions of the API and the agent. */
    Version: { request: CheckRequest, response: VersionCheckResponse },
  },
} as const satisfies Service;

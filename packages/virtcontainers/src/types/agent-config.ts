/** Settings of the Kata agent. Go: `KataAgentConfig`. */
export interface KataAgentConfig {
  /** protocol of the agent: `ttrpc` for today's, `grpc` for one of Kata 1.x; default `ttrpc`. Ours alone */
  protocol?: "ttrpc" | "grpc";
  /** keep the connection between calls: husk always does, so that `false` is refused */
  longLiveConn?: boolean;
  /** reach the agent by vsock; for hosts with `/dev/vhost-vsock` */
  useVSock?: boolean;
  /** let the agent tell more on the guest's console, which is `console.log` in the pod's directory */
  debug?: boolean;
  /** modules that the guest's kernel loads before anything else, each a name and parameters: `e1000e EEE=1` */
  kernelModules?: string[];
  /** size in bytes of the pipes of processes; default: the agent's */
  containerPipeSize?: number;
}

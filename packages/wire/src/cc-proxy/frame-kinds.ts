/** What a frame is: the low four bits of its seventh byte. */
export const FrameType = {
  /** client → proxy */
  COMMAND: 0,
  /** proxy → client, with the opcode of its command */
  RESPONSE: 1,
  /** both ways, between proxy and shim: bytes of a process */
  STREAM: 2,
  /** proxy → shim */
  NOTIFICATION: 3,
} as const;
export type FrameType = (typeof FrameType)[keyof typeof FrameType];

/** Opcodes of commands. Each has one response with the same opcode, but DISCONNECT_SHIM. */
export const ProxyCommand = {
  /** JSON {@link RegisterVm}: connects to an agent and waits until it is ready; answered by {@link IoResponse} */
  REGISTER_VM: 0,
  /** JSON {@link UnregisterVm}: lets the VM go; a proxy of one pod ends then */
  UNREGISTER_VM: 1,
  /** JSON {@link AttachVm}: a further client of a registered VM; answered by {@link IoResponse} */
  ATTACH_VM: 2,
  /** JSON {@link HyperRequest}: a command for the agent; answered by the payload of its ACK */
  HYPER: 3,
  /** JSON {@link ConnectShim}: this connection carries a process from now on */
  CONNECT_SHIM: 4,
  /** Without payload, without response: the shim is done, its token is not valid any more */
  DISCONNECT_SHIM: 5,
  /** JSON {@link ShimSignal}: a signal for the shim's process */
  SIGNAL: 6,
} as const;
export type ProxyCommand = (typeof ProxyCommand)[keyof typeof ProxyCommand];

/** Opcodes of stream frames. */
export const ProxyStream = {
  /** shim → proxy; without bytes: the end of the input */
  STDIN: 0,
  /** proxy → shim */
  STDOUT: 1,
  /** proxy → shim */
  STDERR: 2,
  /** client → proxy, JSON {@link LogEntry} */
  LOG: 3,
  /** shim → proxy, husk's own: see {@link encodeAcknowledge}. Only after a CONNECT_SHIM with `received` */
  ACKNOWLEDGE: 4,
} as const;
export type ProxyStream = (typeof ProxyStream)[keyof typeof ProxyStream];

/** Opcodes of notifications. */
export const ProxyNotification = {
  /** One byte, the exit code: the shim's process has ended, and all of its output has been sent before. */
  PROCESS_EXITED: 0,
  /** Husk's own, JSON ProcessAsyncEvent: any process has ended. Only to clients that have asked for `exits` */
  GUEST_EXIT: 1,
} as const;

/** Highest opcode of each {@link FrameType}. */
export const HIGHEST_OPCODE: readonly number[] = [
  ProxyCommand.SIGNAL,
  ProxyCommand.SIGNAL,
  ProxyStream.ACKNOWLEDGE,
  ProxyNotification.GUEST_EXIT,
];

const COMMAND_NAMES = [
  "RegisterVM",
  "UnregisterVM",
  "AttachVM",
  "Hyper",
  "ConnectShim",
  "DisconnectShim",
  "Signal",
];

/** Name of a command for texts, as the protocol's own documents write it. */
export function proxyCommandName(opcode: number): string {
  return COMMAND_NAMES[opcode] ?? `command ${opcode}`;
}

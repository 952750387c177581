/**
 * Base deadlines in milliseconds, for a quick machine with hardware virtualisation. They are stretched by the
 * accelerator and by `HUSK_DEADLINE_FACTOR`, never shortened: a deadline ends what hangs, it does not judge speed.
 */
export const BASE_DEADLINES = {
  /** from the start of the hypervisor to the agent's READY */
  boot: 5_000,
  /** one command to the hypervisor */
  qmp: 2_000,
  /** the guest gives a device back */
  unplug: 2_000,
  /** one short command to the agent */
  agentCommand: 2_500,
  /** the start of a container or process, or an interface's set-up: a disk or device may have to appear first */
  agentStart: 5_000,
  /** the orderly end of a pod: processes get a grace after SIGTERM */
  agentStop: 5_000,
  /** a pod's share to be ready, or one file or directory to be bound into it */
  shareBind: 2_000,
  /** one look at, or one change of, the host's networks */
  hostNetwork: 5_000,
  /** one run of a CNI plugin: it may ask a server for an address */
  cniPlugin: 10_000,
  /** shims of ended processes pass on what is left of the output */
  drain: 1_000,
  /** a shim, or a proxy, to answer */
  shim: 2_000,
  /** a cache to hand a VM out: who waits longer may as well boot one */
  cacheAnswer: 250,
  /** who was handed a VM out to claim it: a rename */
  cacheClaim: 10_000,
  /** the end of the hypervisor's process, of a pod's proxy or shims, or of a share's killed daemons */
  exit: 2_000,
} as const;

/** Name of a deadline. */
export type DeadlineName = keyof typeof BASE_DEADLINES;

/** TCG translates every instruction of the guest: boots were measured to take four to six times as long. */
const TCG_FACTOR = 6;

/** By how much deadlines are stretched for an accelerator: at least 1. */
export function deadlineFactor(accelerator: string): number {
  const configured = Number(process.env.HUSK_DEADLINE_FACTOR);
  const stretch = Number.isFinite(configured) ? Math.max(1, configured) : 1;
  return (accelerator === "tcg" ? TCG_FACTOR : 1) * stretch;
}

/** A deadline in milliseconds. `HUSK_BOOT_DEADLINE_MS` replaces that of the boot: it is for tests of guests that hang. */
export function deadlineMs(name: DeadlineName, factor: number): number {
  const forTests = Number(process.env.HUSK_BOOT_DEADLINE_MS);
  if (name === "boot" && forTests > 0) return forTests;
  return BASE_DEADLINES[name] * factor;
}

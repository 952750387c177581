import type { Capabilities } from "@husk/wire/hyperstart";

/** The kernel's capabilities, in the order of their numbers (linux/capability.h). */
const NAMES = [
  ...["CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP"],
  ...[
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
  ],
  ...[
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
  ],
  ...[
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
  ],
  ...["MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF"],
  "CHECKPOINT_RESTORE",
];

/**
 * The numbers of capabilities by name, `"CAP_CHOWN"`.
 *
 * @throws Error for a name that is none
 */
export function capabilityNumbers(names: readonly string[]): Set<number> {
  return new Set(
    names.map((name) => {
      const number = name.startsWith("CAP_") ? NAMES.indexOf(name.slice("CAP_".length)) : -1;
      if (number < 0) throw new Error(`unknown capability "${name}"`);
      return number;
    }),
  );
}

/** A set as a number with bit n for capability n. */
export function capabilityBits(numbers: ReadonlySet<number>): number {
  return [...numbers].reduce((bits, number) => bits + 2 ** number, 0);
}

/** What a process is to have, by number. */
export interface CapabilitySets {
  /** what it can ever get by executing a file */
  bounding: Set<number>;
  effective: Set<number>;
  permitted: Set<number>;
  inheritable: Set<number>;
  /** what it keeps over execve without being root */
  ambient: Set<number>;
}

/**
 * Reads the sets of a process.
 *
 * @throws Error for a name that is none, and for a set that the kernel would refuse
 */
export function readCapabilitySets(capabilities: Capabilities): CapabilitySets {
  const sets = {
    bounding: capabilityNumbers(capabilities.bounding),
    effective: capabilityNumbers(capabilities.effective),
    permitted: capabilityNumbers(capabilities.permitted),
    inheritable: capabilityNumbers(capabilities.inheritable),
    ambient: capabilityNumbers(capabilities.ambient),
  };
  const rules: [inner: keyof CapabilitySets, outer: keyof CapabilitySets][] = [
    ["effective", "permitted"],
    ["ambient", "permitted"],
    ["ambient", "inheritable"],
    ["inheritable", "bounding"],
  ];
  for (const [inner, outer] of rules) {
    const odd = [...sets[inner]].find((number) => !sets[outer].has(number));
    if (odd !== undefined) throw new Error(`capability "CAP_${NAMES[odd]}" is ${inner}, but not ${outer}`);
  }
  return sets;
}

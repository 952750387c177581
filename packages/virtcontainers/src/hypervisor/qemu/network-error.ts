import { type ErrorCode, HuskError } from "../../errors/index.ts";

/** Words of QEMU, or of the program that starts it in a namespace, and what they mean. */
interface Meaning {
  readonly words: RegExp;
  readonly code: ErrorCode;
  tell(match: RegExpExecArray): string;
}

const MEANINGS: readonly Meaning[] = [
  {
    words: /Could not set up host forwarding rule '(tcp|udp):([\d.]*):(\d+)-/,
    code: "ERR_PORT_IN_USE",
    tell: ([, protocol, address, port]) =>
      `the port ${address ? `${address}:` : ""}${port}/${protocol} of the host cannot be had for the pod`,
  },
  {
    words: /could not configure \/dev\/net\/tun \(([^)]*)\): (.*)/,
    code: "ERR_NETWORK_LINK",
    tell: ([, name, why]) => `the tap interface ${name} cannot be used: ${why}`,
  },
  {
    words: /could not open (\/dev\/(?:net\/tun|vhost-net)): (.*)/,
    code: "ERR_NETWORK_LINK",
    tell: ([, path, why]) => `${path} cannot be opened for the VM's network: ${why}`,
  },
  {
    // Other programs that a VM has to do with are reached by connections that it inherits.
    words: /Failed to connect to '([^']*)': (.*)/,
    code: "ERR_NETWORK_LINK",
    tell: ([, path, why]) => `nobody serves the vhost-user interface at ${path}: ${why}`,
  },
  {
    words: /^nsenter: (.*)/m,
    code: "ERR_NETWORK_NAMESPACE",
    tell: ([, why]) => `the VM cannot be started in its network namespace: ${why}`,
  },
];

/** The error of a network that these words are about; undefined: they are about something else. */
export function findNetworkError(words: string, cause: unknown): HuskError | undefined {
  for (const { words: pattern, code, tell } of MEANINGS) {
    const match = pattern.exec(words);
    if (match) return new HuskError(code, tell(match), { cause });
  }
  return undefined;
}

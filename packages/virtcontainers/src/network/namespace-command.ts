import { HuskError } from "../errors/index.ts";
import { type CommandOptions, type CommandOutcome, captureCommand } from "../host-command.ts";
import { deadlineMs } from "../hypervisor/deadlines.ts";

/** A network namespace, and how long one look at it or change of it may take. */
export interface NamespacePlace {
  /** path of the namespace */
  readonly netNSPath: string;
  /** by how much deadlines are stretched */
  readonly deadlineFactor: number;
  readonly signal?: AbortSignal | undefined;
}

/** The programs that the networks of the host are seen and changed by, and their Debian packages. */
const PACKAGES: Readonly<Record<string, string>> = {
  ip: "iproute2",
  tc: "iproute2",
  nsenter: "util-linux",
  setpriv: "util-linux",
  unshare: "util-linux",
  sh: "dash",
};
/** Ends a program with its parent. */
const MORTAL = ["setpriv", "--pdeathsig", "KILL", "--"];
const CANNOT_ENTER = /^nsenter: (?!failed to execute)(.*)$/m;
const NOT_THERE = /^(?:\w+: failed to execute (\S+): No such file|(\S+) cannot be run: .*ENOENT)/m;

/**
 * Runs a program in a network namespace. It ends with its caller: it is not to make anything behind the back of the next one,
 * which cleans up.
 * @param input its standard input, or the descriptor of a file that is
 * @throws HuskError ERR_NETWORK_NAMESPACE when the namespace cannot be entered, ERR_NOT_SUPPORTED when a program is not
 *   installed, ERR_ABORTED
 */
export async function runInNamespace(
  place: NamespacePlace,
  program: string,
  args: readonly string[],
  input?: string | Buffer | number,
): Promise<CommandOutcome> {
  const { netNSPath } = place;
  const outcome = await runNetworkProgram(
    "nsenter",
    [`--net=${netNSPath}`, "--", ...MORTAL, program, ...args],
    {
      ...place,
      input,
    },
  );
  const [, why] = CANNOT_ENTER.exec(outcome.failure ?? "") ?? [];
  if (why === undefined) return outcome;
  throw new HuskError(
    "ERR_NETWORK_NAMESPACE",
    `the network namespace ${netNSPath} cannot be entered: ${why}`,
  );
}

/**
 * Runs one of the programs of the host's networks.
 * @throws HuskError ERR_NOT_SUPPORTED when it is not installed, ERR_ABORTED
 */
export async function runNetworkProgram(
  program: string,
  args: readonly string[],
  options: Omit<NamespacePlace, "netNSPath"> & { readonly input?: CommandOptions["input"] },
): Promise<CommandOutcome> {
  const { deadlineFactor, signal, input } = options;
  const timeoutMs = deadlineMs("hostNetwork", deadlineFactor);
  const outcome = await captureCommand(program, args, { timeoutMs, signal, input });
  const [, inside, outside] = NOT_THERE.exec(outcome.failure ?? "") ?? [];
  const missing = inside ?? outside;
  if (missing === undefined) return outcome;
  throw new HuskError("ERR_NOT_SUPPORTED", `networks need the program ${missing}, which is not installed`, {
    hint: `Install it${PACKAGES[missing] ? ` (Debian: ${PACKAGES[missing]})` : ""}, or use the network "none".`,
  });
}

import { HuskError } from "../errors/index.ts";
import { isNamespace } from "./namespace.ts";
import { type NamespacePlace, runInNamespace } from "./namespace-command.ts";

/** The programs of iproute2. */
type Program = "ip" | "tc";

/** A name of a link that is a word of its own for ip(8) and tc(8), which take many more. */
const LINK_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.+=@-]{0,14}$/;
const FAILED_LINE = /^Command failed -:(\d+)$/;
const MISSING = /Cannot find device|No such device|does not exist|Cannot find specified qdisc/;

/** Whether a link can be named to ip(8) and tc(8). */
export function isPlainLinkName(name: string): boolean {
  return LINK_NAME.test(name);
}

/**
 * Changes a namespace by commands, up to the first that fails.
 * @param link the link that is joined, for the error
 * @throws HuskError ERR_NETWORK_LINK, ERR_NETWORK_NAMESPACE, ERR_NOT_SUPPORTED, ERR_ABORTED
 */
export async function changeLinks(
  place: NamespacePlace,
  program: Program,
  commands: readonly string[],
  link: string,
): Promise<void> {
  const { failure } = await runInNamespace(place, program, ["-batch", "-"], `${commands.join("\n")}\n`);
  if (failure === undefined) return;
  const { why, command } = explain(failure, program, commands);
  if (why.includes(`Cannot find device "${link}"`)) throw vanished(place, link);
  throw new HuskError(
    "ERR_NETWORK_LINK",
    `${link} of ${place.netNSPath} cannot be set up: ${why} (${command})`,
  );
}

/**
 * Undoes changes of a namespace by commands, all of them. What is not there any more is no error.
 * @throws HuskError ERR_NETWORK_LINK, ERR_NOT_SUPPORTED
 */
export async function undoLinks(
  place: NamespacePlace,
  program: Program,
  commands: readonly string[],
  link: string,
): Promise<void> {
  if (commands.length === 0 || !isNamespace(place.netNSPath)) return;
  const { failure } = await runInNamespace(
    place,
    program,
    ["-force", "-batch", "-"],
    `${commands.join("\n")}\n`,
  );
  const faults = (failure ?? "").split("\n").filter((line) => !FAILED_LINE.test(line) && !MISSING.test(line));
  const why = faults.join("; ").trim();
  if (why === "") return;
  throw new HuskError("ERR_NETWORK_LINK", `${link} of ${place.netNSPath} cannot be given back: ${why}`);
}

/**
 * Looks at a namespace by commands that print a JSON array each.
 * @param options options of the program
 * @returns what each command has printed
 * @throws HuskError ERR_NETWORK_LINK, ERR_NETWORK_NAMESPACE, ERR_NOT_SUPPORTED, ERR_ABORTED
 */
export async function readJson(
  place: NamespacePlace,
  program: Program,
  options: readonly string[],
  commands: readonly string[],
): Promise<unknown[][]> {
  const { stdout, failure } = await runInNamespace(
    place,
    program,
    [...options, "-json", "-batch", "-"],
    `${commands.join("\n")}\n`,
  );
  const cannot = (why: string, cause?: unknown) =>
    new HuskError("ERR_NETWORK_LINK", `${place.netNSPath} cannot be looked at: ${why}`, { cause });
  if (failure !== undefined) throw cannot(explain(failure, program, commands).why);
  const lines = stdout.toString().split("\n").filter(Boolean);
  if (lines.length !== commands.length) throw cannot(`${program} printed ${lines.length} answers`);
  return lines.map((line) => {
    try {
      const answer: unknown = JSON.parse(line);
      if (Array.isArray(answer)) return answer;
    } catch (error) {
      throw cannot(`${program} did not print JSON: ${line.slice(0, 80)}`, error);
    }
    throw cannot(`${program} did not print a list: ${line.slice(0, 80)}`);
  });
}

/** The error of a link that was there before. */
export function vanished({ netNSPath }: NamespacePlace, link: string): HuskError {
  return new HuskError("ERR_NETWORK_LINK", `${link} has vanished from ${netNSPath}`, {
    hint: "See who else changes that namespace.",
  });
}

/** What a program said, and which command it said it of. */
function explain(failure: string, program: Program, commands: readonly string[]) {
  const lines = failure.split("\n");
  const number = Number(lines.flatMap((line) => FAILED_LINE.exec(line)?.[1] ?? [])[0] ?? 0);
  const why = lines.filter((line) => line !== "" && !FAILED_LINE.test(line)).join("; ");
  return { why, command: `${program} ${commands[number - 1] ?? "-batch -"}` };
}

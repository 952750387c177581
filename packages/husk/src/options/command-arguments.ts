import { UsageError } from "../usage-error.ts";

const EXEC_USAGE = "husk exec [options] NAME -- CMD ARG…";

/**
 * The command that follows a name: what commander passes through, without the `--` in front.
 *
 * @throws UsageError when husk's own options stand behind the name, where they would be taken for the command
 */
export function commandAfterName(rest: readonly string[], usage = EXEC_USAGE): string[] {
  if (rest[0] === "--") return rest.slice(1);
  if (rest[0]?.startsWith("-")) {
    throw new UsageError(`option behind the name: ${rest[0]}`, usage);
  }
  return [...rest];
}

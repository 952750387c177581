import { describeError, renderError } from "../output/error-report.ts";

/**
 * Does something to each of several pods; one that fails does not keep the others from their turn.
 *
 * @returns exit status: 0, or that of the first error; every error has been printed
 */
export async function forEachName(
  names: readonly string[],
  act: (name: string) => Promise<unknown>,
): Promise<number> {
  let status = 0;
  for (const name of new Set(names)) {
    try {
      await act(name);
      process.stdout.write(`${name}\n`);
    } catch (error) {
      const report = describeError(error);
      process.stderr.write(renderError(report));
      status ||= report.exitStatus;
    }
  }
  return status;
}

import { GuestImageMissingError } from "@husk/guest-image";
import { ERROR_CATALOGUE, HuskError } from "@husk/virtcontainers";
import { CommanderError } from "commander";
import { UsageError } from "../usage-error.ts";
import { printable } from "./printable.ts";

/** Exit status of husk when husk itself fails, as container command lines use it. */
export const FAILURE = 125;
/** Exit status after a wrong command line. */
export const USAGE = 2;

/** What is told about an error. */
export interface ErrorReport {
  /** stable name */
  readonly code: string;
  /** what went wrong; may have several lines */
  readonly message: string;
  /** what the user can do */
  readonly hint?: string | undefined;
  /** exit status of husk */
  readonly exitStatus: number;
  /** pod concerned */
  readonly podId?: string | undefined;
  /** container concerned */
  readonly containerId?: string | undefined;
}

const BUG_HINT = "a bug in husk, or a system that it did not expect; --debug shows where";

/** Turns anything thrown into what is told about it. */
export function describeError(error: unknown): ErrorReport {
  if (error instanceof HuskError) {
    const { code, message, hint, podId, containerId } = error;
    return { code, message, hint, exitStatus: ERROR_CATALOGUE[code].exitCode, podId, containerId };
  }
  if (error instanceof GuestImageMissingError) {
    return { code: error.code, message: error.message, hint: error.hint, exitStatus: FAILURE };
  }
  if (error instanceof UsageError) {
    return { code: error.code, message: error.message, hint: error.hint, exitStatus: USAGE };
  }
  if (error instanceof CommanderError) {
    return {
      code: "ERR_USAGE",
      message: commanderMessage(error),
      hint: "see husk --help",
      exitStatus: USAGE,
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: "ERR_INTERNAL", message, hint: BUG_HINT, exitStatus: FAILURE };
}

/** Renders an error for people: what happened, with its code, and what to do. */
export function renderError(report: ErrorReport): string {
  const [first = "", ...rest] = printable(report.message).trimEnd().split("\n");
  const lines = [`husk: ${first} [${report.code}]`, ...rest.map((line) => `  ${line}`)];
  if (report.hint) lines.push(`hint: ${printable(report.hint)}`);
  return `${lines.join("\n")}\n`;
}

/** Tells people what went wrong without failing the command. */
export function tellWarning(warning: Error): void {
  const report = describeError(warning);
  process.stderr.write(renderError({ ...report, message: `warning: ${report.message}` }));
}

/** Renders an error for programs: one line of JSON. */
export function renderErrorJson(report: ErrorReport): string {
  return `${JSON.stringify({ error: report })}\n`;
}

/** Commander's words without its prefix, its suggestion on the same line. */
function commanderMessage(error: CommanderError): string {
  const text = error.message.replace(/^error: /, "");
  return text.trimEnd().replaceAll("\n", " ");
}

import { errorText, readText, writeText } from "@husk/tiny";
import type { ExecShimCall } from "@husk/wire/module-shim";

const CONFIG_BYTES = 4 * 1024 * 1024;

/** Writes the OCI process.json of an exec: that of the bundle's config.json, with what the call has above it. @throws Error */
export function writeProcessFile(path: string, bundle: string, call: ExecShimCall): void {
  const base = readProcess(`${bundle}/config.json`);
  const { consoleSize, commandLine, ...rest } = base;
  const process = {
    ...rest,
    terminal: call.terminal !== undefined,
    ...(call.terminal && { consoleSize: { height: call.terminal.rows, width: call.terminal.columns } }),
    args: call.args,
    env: mergeEnvironment(asTexts(base.env), call.env ?? []),
    ...(call.cwd === undefined ? {} : { cwd: call.cwd }),
    ...(call.user === undefined ? {} : { user: call.user }),
  };
  writeText(path, JSON.stringify(process), 0o600);
}

function readProcess(path: string): Record<string, unknown> {
  try {
    const config = asObject(JSON.parse(readText(path, CONFIG_BYTES)));
    return asObject(config.process);
  } catch (error) {
    throw new Error(`${path} has no process: ${errorText(error)}`);
  }
}

function asObject(value: unknown): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new Error("it is no JSON object");
}

function asTexts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((word) => typeof word === "string") : [];
}

/** The variables of both; the second's win, in the place of the first's. */
function mergeEnvironment(base: readonly string[], above: readonly string[]): string[] {
  const variables = new Map<string, string>();
  for (const variable of [...base, ...above]) variables.set(nameOf(variable), variable);
  return [...variables.values()];
}

function nameOf(variable: string): string {
  return variable.split("=", 1)[0] ?? "";
}

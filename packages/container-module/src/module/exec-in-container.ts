import { existsSync } from "node:fs";
import { HuskError } from "@husk/virtcontainers";
import { systemCode } from "@husk/virtcontainers/internals";
import { MAX_SHIM_PAYLOAD_BYTES } from "@husk/wire/module-shim";
import { checkWords } from "../entrypoint/command.ts";
import { mergeEnvironments } from "../entrypoint/environment.ts";
import { ShimFaultError } from "../shim/shim-connection.ts";
import { ShimExec } from "../shim/shim-exec.ts";
import type { ContainerPlaces } from "../state/layout.ts";
import { readShimState } from "../state/shim-state.ts";
import type { ExecOptions, ExecProcess } from "../types.ts";
import { checkExecOptions } from "./call-rules.ts";
import { containerNotFound } from "./find-containers.ts";

/**
 * Runs a program in a container that runs.
 * @throws HuskError as `ContainerModule.exec` tells
 */
export async function execInContainer(
  places: ContainerPlaces,
  args: readonly string[],
  options: ExecOptions,
): Promise<ExecProcess> {
  checkExecOptions(options, "options");
  const { env = [], cwd, timeoutMs, terminal, signal } = options;
  checkWords(args);
  mergeEnvironments(env);
  if (!existsSync(places.directory)) throw containerNotFound(places);
  const call = {
    method: "exec" as const,
    args: [...args],
    env: [...env],
    ...(cwd === undefined ? {} : { cwd }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(terminal ? { terminal } : {}),
  };
  return await ShimExec.start(places.socket, call, (error) => explain(places, error), signal);
}

function explain(places: ContainerPlaces, error: unknown): unknown {
  const { ns, name } = places;
  const what = `the container "${name}" in "${ns}"`;
  if (["ENOENT", "ECONNREFUSED"].includes(systemCode(error) ?? "")) {
    const state = readShimState(places)?.state ?? "creating";
    return new HuskError("ERR_STATE_INVALID", `${what} is ${state}, not running`, { containerId: name });
  }
  if (error instanceof RangeError) {
    const text = `the program's words and variables have more than ${MAX_SHIM_PAYLOAD_BYTES} bytes together`;
    return new HuskError("ERR_CONFIG_INVALID", text, { containerId: name, cause: error });
  }
  if (!(error instanceof ShimFaultError)) return error;
  const { code, message, runtimeLog } = error.fault;
  const isState = code === "not-running" || code === "busy";
  const text = `${what}: ${runtimeLog ?? message}`;
  return new HuskError(isState ? "ERR_STATE_INVALID" : "ERR_RUNTIME", text, { containerId: name });
}

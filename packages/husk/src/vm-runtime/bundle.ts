import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { HuskError, type OciProcess, type OciSpec } from "@husk/virtcontainers";
import { checkOciProcess, checkOciSpec, messageOf } from "@husk/virtcontainers/internals";

/** Most bytes of a specification; the honest ones have some tens of KiB, most of them for seccomp. */
const MAX_BYTES = 4 * 1024 * 1024;

/** An OCI bundle. */
export interface Bundle {
  /** its folder, absolute */
  readonly path: string;
  readonly spec: OciSpec;
}

/**
 * Reads the `config.json` of a bundle.
 * @throws HuskError ERR_CONFIG_INVALID, ERR_CONFIG_UNKNOWN_FIELD for what cannot be carried out, by its name
 */
export function readBundle(folder: string): Bundle {
  const path = resolve(folder);
  const spec = readJson(join(path, "config.json"));
  checkOciSpec(spec, "config.json");
  return { path, spec };
}

/** Reads a `process.json`. @throws HuskError as `readBundle` */
export function readProcess(path: string): OciProcess {
  const process = readJson(path);
  checkOciProcess(process, "process");
  return process;
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readBounded(path));
  } catch (error) {
    if (error instanceof HuskError) throw error;
    const text = `cannot read ${path}: ${messageOf(error)}`;
    throw new HuskError("ERR_CONFIG_INVALID", text, { cause: error });
  }
}

function readBounded(path: string): string {
  const fd = openSync(path, "r");
  try {
    const { size } = fstatSync(fd);
    if (size > MAX_BYTES) throw new Error(`it has ${size} bytes, more than ${MAX_BYTES}`);
    return readFileSync(fd, "utf8");
  } finally {
    closeSync(fd);
  }
}

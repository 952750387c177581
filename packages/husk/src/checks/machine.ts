import { accessSync, constants, existsSync, readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { GuestImageMissingError, type GuestPaths, guestPaths } from "@husk/guest-image";
import { cacheDirectory, chooseAccelerator, MIN_MEMORY_MIB, stateDirectory } from "@husk/virtcontainers";
import type { CheckResult } from "./check-result.ts";
import { checkNetworks } from "./networks.ts";
import { checkPrograms, findProgram, QEMU } from "./programs.ts";

/** guest memory of a pod that says nothing about it, in MiB */
const DEFAULT_MEMORY_MIB = 256;

/**
 * Looks at everything that a pod needs of this machine. Nothing is changed, but for the cached probe of KVM.
 */
export async function checkMachine(env: NodeJS.ProcessEnv): Promise<CheckResult[]> {
  const guest = findGuest();
  return [
    checkSystem(),
    ...checkPrograms(env),
    ...checkGuest(guest),
    checkKvmDevice(),
    await checkAccelerator(guest, env),
    ...checkNetworks(env),
    checkMemory(readFileSync("/proc/meminfo", "latin1")),
    checkDirectory("state directory", stateDirectory, "HUSK_ROOT"),
    checkDirectory("cache directory", cacheDirectory, "HUSK_CACHE"),
  ];
}

function checkSystem(): CheckResult {
  const detail = `${process.platform} on ${process.arch}, node ${process.versions.node}`;
  if (process.platform === "linux" && process.arch === "x64") return { name: "system", state: "ok", detail };
  return { name: "system", state: "missing", detail, hint: "husk runs on Linux on x86-64 only" };
}

function findGuest(): GuestPaths | GuestImageMissingError {
  try {
    return guestPaths();
  } catch (error) {
    if (error instanceof GuestImageMissingError) return error;
    throw error;
  }
}

function checkGuest(guest: GuestPaths | GuestImageMissingError): CheckResult[] {
  if (guest instanceof GuestImageMissingError) {
    return [{ name: "guest", state: "missing", detail: guest.message, hint: guest.hint }];
  }
  const files = [
    { name: "kernel", path: guest.kernel },
    { name: "initramfs", path: guest.initramfs },
  ];
  return files.map(({ name, path }) => {
    return { name, state: "ok", detail: `${path} (${(statSync(path).size / 2 ** 20).toFixed(1)} MiB)` };
  });
}

function checkKvmDevice(): CheckResult {
  const name = "/dev/kvm";
  if (!existsSync(name)) return { name, state: "note", detail: "not there: VMs are emulated, which is slow" };
  if (isAllowed(name)) return { name, state: "ok", detail: "there, and may be used" };
  return { name, state: "note", detail: "there, but may not be used", hint: "join the group kvm" };
}

async function checkAccelerator(
  guest: GuestPaths | GuestImageMissingError,
  env: NodeJS.ProcessEnv,
): Promise<CheckResult> {
  const name = "accelerator";
  const hypervisorPath = findProgram(env.HUSK_QEMU || QEMU, env);
  if (hypervisorPath === undefined || guest instanceof GuestImageMissingError) {
    return { name, state: "note", detail: "not known before the rest is there" };
  }
  try {
    const query = { hypervisorPath, kernelPath: guest.kernel, cache: cacheDirectory() };
    const { accelerator, reason } = await chooseAccelerator(query);
    return { name, state: accelerator === "kvm" ? "ok" : "note", detail: `${accelerator}: ${reason}` };
  } catch (error) {
    const hint = "correct or unset HUSK_ACCEL";
    return { name, state: "missing", detail: error instanceof Error ? error.message : String(error), hint };
  }
}

/** Reads `/proc/meminfo`: is there room for a pod? */
export function checkMemory(meminfo: string): CheckResult {
  const kilobytes = Number(/^MemAvailable:\s+(\d+) kB$/m.exec(meminfo)?.[1]);
  const available = Math.floor(kilobytes / 1024);
  const detail = `${available} MiB available; a pod takes ${DEFAULT_MEMORY_MIB} MiB, or what --memory says`;
  if (available >= DEFAULT_MEMORY_MIB) return { name: "memory", state: "ok", detail };
  const fits = available >= MIN_MEMORY_MIB;
  const hint = fits
    ? `use less: --memory ${MIN_MEMORY_MIB} or a little more`
    : "end something that takes much";
  return { name: "memory", state: fits ? "note" : "missing", detail, hint };
}

/** Whether a directory, or the nearest one above it that exists, may be written to. */
export function checkDirectory(name: string, find: () => string, variable: string): CheckResult {
  try {
    const path = find();
    let nearest = path;
    while (!existsSync(nearest) && nearest !== dirname(nearest)) nearest = dirname(nearest);
    accessSync(nearest, constants.W_OK | constants.X_OK);
    if (!statSync(nearest).isDirectory()) throw new Error(`${nearest} is not a directory`);
    return { name, state: "ok", detail: nearest === path ? path : `${path} (will be made)` };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { name, state: "missing", detail, hint: `choose another place with ${variable}` };
  }
}

function isAllowed(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

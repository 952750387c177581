import { spawn } from "node:child_process";
import { abortError, throwIfAborted } from "../../deadline.ts";
import type { AcceleratorQuery } from "./accelerator.ts";

/** Milliseconds in which a kernel under KVM gets to its end many times over. */
const PROBE_MS = 10_000;

/**
 * Boots a kernel without any root file system under KVM. One that truly runs complains about that and panics, by which
 * (`panic=-1`, `-no-reboot`) QEMU ends.
 * @throws HuskError ERR_ABORTED
 */
export function probeKvm({ hypervisorPath, kernelPath, signal }: AcceleratorQuery): Promise<boolean> {
  throwIfAborted(signal);
  const machine = ["-machine", "q35,accel=kvm", "-cpu", "host", "-m", "128M", "-bios", "qboot.rom"];
  const quiet = ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio"];
  const kernel = ["-kernel", kernelPath, "-append", "console=ttyS0 panic=-1"];
  const child = spawn(hypervisorPath, [...machine, ...quiet, ...kernel], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  return new Promise((resolve, reject) => {
    let hasPanicked = false;
    let last = "";
    child.stdout.on("data", (chunk: Buffer) => {
      last = (last + chunk.toString("latin1")).slice(-4096);
      hasPanicked ||= last.includes("Kernel panic - not syncing: VFS");
    });
    const end = () => child.kill("SIGKILL");
    const timer = setTimeout(end, PROBE_MS);
    signal?.addEventListener("abort", end, { once: true });
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      if (signal?.aborted) reject(abortError(signal));
      else resolve(hasPanicked);
    };
    child.once("error", settle);
    child.once("close", settle);
  });
}

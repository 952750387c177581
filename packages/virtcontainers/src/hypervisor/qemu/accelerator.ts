import { accessSync, constants, mkdirSync, readFileSync, statSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { HuskError } from "../../errors/index.ts";
import { writeFileAtomically } from "../../store/atomic-file.ts";
import { probeKvm } from "./kvm-probe.ts";

/** Which accelerator QEMU is to use, and why. */
export interface AcceleratorChoice {
  readonly accelerator: "kvm" | "tcg";
  /** a clause for people: "the CPU has no vmx or svm flag" */
  readonly reason: string;
}

/** What the choice is made for. */
export interface AcceleratorQuery {
  /** path of the QEMU program */
  readonly hypervisorPath: string;
  /** path of a guest kernel, for the probe */
  readonly kernelPath: string;
  /** cache directory, for the probe's result */
  readonly cache: string;
  readonly signal?: AbortSignal | undefined;
}

/** Why KVM cannot work here, found without trying; undefined: it may. */
function findKvmObstacle(): string | undefined {
  try {
    accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
  } catch {
    return "/dev/kvm is not there or may not be used";
  }
  const flags = /^flags\s*:.*$/m.exec(readFileSync("/proc/cpuinfo", "latin1"))?.[0] ?? "";
  return /\b(vmx|svm)\b/.test(flags) ? undefined : "the CPU has neither the vmx nor the svm flag";
}

/**
 * Chooses KVM where it truly works, else TCG. A `/dev/kvm` that can be opened proves nothing (there are machines where
 * it exists and a kernel hangs in it), so the CPU's flags decide, and then a probe whose result is cached.
 * `HUSK_ACCEL` overrides.
 * @throws HuskError ERR_KVM_UNUSABLE when HUSK_ACCEL demands KVM in vain, ERR_CONFIG_INVALID when it is another word
 */
export async function chooseAccelerator(query: AcceleratorQuery): Promise<AcceleratorChoice> {
  const wish = process.env.HUSK_ACCEL;
  if (wish === "tcg") return { accelerator: "tcg", reason: "HUSK_ACCEL says so" };
  if (wish && wish !== "kvm") {
    throw new HuskError("ERR_CONFIG_INVALID", `HUSK_ACCEL must be kvm or tcg, not ${JSON.stringify(wish)}`);
  }
  const obstacle = findKvmObstacle();
  if (wish === "kvm") {
    if (obstacle) throw new HuskError("ERR_KVM_UNUSABLE", `HUSK_ACCEL demands KVM, but ${obstacle}`);
    return { accelerator: "kvm", reason: "HUSK_ACCEL says so" };
  }
  if (obstacle) return { accelerator: "tcg", reason: obstacle };
  return (await isKvmProven(query))
    ? { accelerator: "kvm", reason: "a probe booted a kernel with KVM" }
    : { accelerator: "tcg", reason: "a probe could not boot a kernel with KVM" };
}

/** The probe's result, from the cache as long as host kernel and QEMU are the same. */
async function isKvmProven(query: AcceleratorQuery): Promise<boolean> {
  const key = `${release()} ${query.hypervisorPath} ${statSync(query.hypervisorPath).mtimeMs}`;
  const file = join(query.cache, "kvm-probe.json");
  try {
    const cached: unknown = JSON.parse(readFileSync(file, "utf8"));
    if (typeof cached === "object" && cached && "key" in cached && "works" in cached && cached.key === key) {
      return cached.works === true;
    }
  } catch {
    // There is no result yet, or none that can be read: probe.
  }
  const works = await probeKvm(query);
  try {
    mkdirSync(query.cache, { recursive: true, mode: 0o755 });
    writeFileAtomically(file, JSON.stringify({ key, works }));
  } catch {
    // Without a cache the next start probes again.
  }
  return works;
}

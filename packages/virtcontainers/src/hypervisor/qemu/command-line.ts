import type { BlockDeviceDriver, MachineType, Param } from "../../types/index.ts";
import type { Nic, VmSpec } from "../types.ts";
import { type Disk, diskArguments } from "./disks.ts";
import { kernelCommandLine } from "./kernel-command-line.ts";
import { memoryArguments, memoryMachineOptions } from "./memory.ts";
import { nicArguments } from "./nics.ts";
import { shareArguments } from "./shares.ts";
import { slotArguments } from "./slots.ts";
import { transportOf, tuningOf } from "./transport.ts";
import { vfioArguments } from "./vfio-device.ts";

/** Enough for the code that a guest runs over and over, in MiB. */
const SMALL_CACHE_MIB = 64;

/** Descriptors that QEMU inherits; the numbers are those in QEMU. `port0` and `port1`: sockets of the agent's serial ports. */
export const INHERITED = {
  qmp: 3,
  port0: 4,
  port1: 5,
  console: 6,
  vmLock: 7,
  state: 8,
} as const;

/** The firmware that starts a PVH kernel quickest; QEMU finds it in its own data directory. */
const DEFAULT_FIRMWARE = "qboot.rom";

/** What the command line is made of, when all defaults are filled in. */
export interface QemuPlan extends Omit<VmSpec, "drives"> {
  readonly drives: readonly Disk[];
  readonly machine: MachineType;
  readonly accelerator: "kvm" | "tcg";
  /** frequency of the host's time stamp counter in kHz; undefined: not known, or of no use to the guest */
  readonly tscKHz?: number | undefined;
  /** whether the host is itself a VM */
  readonly isNested: boolean;
  readonly kernelPath: string;
  /** initramfs; undefined: the kernel finds its root alone */
  readonly initrdPath?: string | undefined;
  /** network interfaces; they are known only when networks have been set up */
  readonly nics: readonly Nic[];
  /** whether the host's kernel moves the packets of taps by itself */
  readonly vhostNet: boolean;
  /** whether guest memory is shared with other processes: those that serve a virtiofs share or a vhost-user interface see it */
  readonly sharedMemory: boolean;
  /** what disks are to the guest */
  readonly blockDriver: BlockDeviceDriver;
  /** the disk with the guest's own root; undefined: the guest lives in its initramfs */
  readonly rootDisk?: (Disk & { readonly fstype: string }) | undefined;
  /** number of PCI slots for devices that are plugged in later */
  readonly slots: number;
  /** all memory in MiB that the guest can ever have */
  readonly maxMemory: number;
}

/** Under TCG, QEMU sets up to 1 GiB aside for translated code. Locked memory is there from the start, used or not. */
function hasSmallCache({ accelerator, config }: QemuPlan): boolean {
  return accelerator === "tcg" && config.realtime === true && config.mlock === true;
}

function machineArgument(plan: QemuPlan): string {
  const options: string[] = [plan.machine, ...(hasSmallCache(plan) ? [] : [`accel=${plan.accelerator}`])];
  // Without ACPI a microvm cannot power itself off; without the RTC its kernel boots much more slowly.
  if (plan.machine === "microvm") options.push("acpi=on", "rtc=on", "isa-serial=on", "x-option-roms=off");
  // Devices that a guest without screen, keyboard and disks would only look for.
  else options.push("i8042=off", "vmport=off", "smbus=off", "sata=off", "hpet=off");
  options.push(...memoryMachineOptions(plan));
  if (plan.config.machineAccelerators) options.push(plan.config.machineAccelerators.replace(/^,/, ""));
  return options.join(",");
}

/**
 * Under TCG, page tables of five levels cost much and have no use here, and a kernel that is promised fast `rep movsb`
 * (erms, fsrm) copies byte by byte what it would otherwise copy in words.
 */
function cpuArgument({ accelerator, isNested, config }: QemuPlan): string {
  if (accelerator === "tcg") return "max,-la57,-erms,-fsrm";
  // In a VM of a VM each access to a performance counter goes through two hypervisors, if the outer one has any at all.
  return isNested && !config.disableNestingChecks ? "host,pmu=off" : "host";
}

/** Places for processors that come later cost the guest memory, so that there are none unless they are asked for. */
function processorArgument({ vcpus, config }: QemuPlan): string {
  const { defaultMaxVCPUs = vcpus } = config;
  return defaultMaxVCPUs > vcpus ? `${vcpus},maxcpus=${defaultMaxVCPUs}` : String(vcpus);
}

function socketChardev(id: string, fd: number): string[] {
  return ["-chardev", `socket,id=${id},fd=${fd},server=on,wait=off`];
}

function portArguments(plan: QemuPlan): string[] {
  const { serial, common } = transportOf(plan.machine);
  if (plan.ports.length === 0) return [];
  const ports = plan.ports.flatMap(({ name }, index) => {
    const device = {
      driver: "virtserialport",
      bus: "serial0.0",
      nr: index + 1,
      chardev: `port${index}`,
      name,
    };
    return [
      ...socketChardev(`port${index}`, index === 0 ? INHERITED.port0 : INHERITED.port1),
      "-device",
      JSON.stringify({ ...device, id: `channel${index}` }),
    ];
  });
  // The guest sets up queues for every port that there may be; port 0 is the console's, which is not used.
  const bus = {
    driver: serial,
    id: "serial0",
    max_ports: plan.ports.length + 1,
    ...common,
    ...tuningOf(plan),
  };
  return ["-device", JSON.stringify(bus), ...ports];
}

function paramArguments(params: readonly Param[]): string[] {
  return params.flatMap(({ key, value }) => (value ? [`-${key}`, value] : [`-${key}`]));
}

/**
 * QEMU's arguments for a VM. A pure function: the same plan gives the same arguments.
 * @throws HuskError ERR_CONFIG_INVALID for an id or a tag that its device cannot carry
 */
export function qemuArguments(plan: QemuPlan): string[] {
  const { config } = plan;
  return [
    ...["-name", `husk-${plan.podId}`, "-uuid", plan.uuid],
    ...["-machine", machineArgument(plan), "-cpu", cpuArgument(plan)],
    ...(hasSmallCache(plan) ? ["-accel", `tcg,tb-size=${SMALL_CACHE_MIB}`] : []),
    ...["-smp", processorArgument(plan), ...memoryArguments(plan)],
    ...["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
    ...["-bios", config.firmwarePath ?? DEFAULT_FIRMWARE],
    ...["-kernel", plan.kernelPath, ...(plan.initrdPath ? ["-initrd", plan.initrdPath] : [])],
    ...["-append", kernelCommandLine(plan)],
    // The console's file is handed over open, so that the pod's directory may be renamed meanwhile.
    ...["-add-fd", `fd=${INHERITED.console},set=1`, "-chardev", "file,id=console0,path=/dev/fdset/1"],
    ...["-serial", "chardev:console0"],
    ...socketChardev("qmp0", INHERITED.qmp),
    ...["-mon", "chardev=qmp0,mode=control"],
    ...slotArguments(plan),
    ...portArguments(plan),
    ...diskArguments(plan),
    ...shareArguments(plan),
    ...nicArguments(plan),
    ...vfioArguments(plan.vfioDevices),
    // The state is loaded when QEMU has been told how; the guest goes on when it is told to.
    ...(plan.template?.role === "clone" ? ["-S", "-incoming", "defer"] : []),
    ...["-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"],
    ...paramArguments(config.hypervisorParams ?? []),
  ];
}

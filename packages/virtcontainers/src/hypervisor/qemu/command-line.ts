import { HuskError } from "../../errors/index.ts";
import type { MachineType, Param } from "../../types/index.ts";
import type { Drive, VmSpec } from "../types.ts";
import { kernelCommandLine } from "./kernel-command-line.ts";
import { memoryArguments, memoryMachineOptions } from "./memory.ts";
import { shareArguments } from "./shares.ts";
import { transportOf, tuningOf } from "./transport.ts";

/** Descriptors that QEMU inherits; the numbers are those in QEMU. */
export const INHERITED = {
  qmp: 3,
  control: 4,
  stream: 5,
  console: 6,
  vmLock: 7,
} as const;

/** The firmware that starts a PVH kernel quickest; QEMU finds it in its own data directory. */
const DEFAULT_FIRMWARE = "qboot.rom";
/** What the command line is made of, when all defaults are filled in. */
export interface QemuPlan extends VmSpec {
  readonly machine: MachineType;
  readonly accelerator: "kvm" | "tcg";
  /** frequency of the host's time stamp counter in kHz; undefined: not known, or of no use to the guest */
  readonly tscKHz?: number | undefined;
  readonly kernelPath: string;
  readonly imagePath: string;
  /** whether guest memory is shared with other processes: those that serve a virtiofs share see it */
  readonly sharedMemory: boolean;
  /** number of free slots for disks that are plugged in later */
  readonly slots: number;
}

function machineArgument(plan: QemuPlan): string {
  const options: string[] = [plan.machine, `accel=${plan.accelerator}`];
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
function cpuArgument(accelerator: string): string {
  return accelerator === "kvm" ? "host" : "max,-la57,-erms,-fsrm";
}

function socketChardev(id: string, fd: number): string[] {
  return ["-chardev", `socket,id=${id},fd=${fd},server=on,wait=off`];
}

function json(value: object): string {
  return JSON.stringify(value);
}

/** Name of the block node behind a drive. */
export function nodeName(driveId: string): string {
  return `node-${driveId}`;
}

/** The block node of a drive: a file, or a block device of the host. */
export function blockdevOf(drive: Drive) {
  return {
    driver: "raw",
    "node-name": nodeName(drive.id),
    "read-only": drive.readOnly ?? true,
    file: { driver: "file", filename: drive.imagePath },
  } as const;
}

/** The disk of a drive; the guest finds it by its serial number. */
export function blockDeviceOf(drive: Drive, machine: MachineType) {
  const { block, common } = transportOf(machine);
  return { driver: block, id: `disk-${drive.id}`, drive: nodeName(drive.id), serial: drive.id, ...common };
}

function driveArguments(plan: QemuPlan): string[] {
  return plan.drives.flatMap((drive) => [
    "-blockdev",
    json(blockdevOf(drive)),
    "-device",
    json({ ...blockDeviceOf(drive, plan.machine), ...tuningOf(plan) }),
  ]);
}

function portArguments(plan: QemuPlan): string[] {
  const { serial, common } = transportOf(plan.machine);
  if (plan.ports.length === 0) return [];
  const ports = plan.ports.flatMap(({ name, socket }, index) => {
    const device = {
      driver: "virtserialport",
      bus: "serial0.0",
      nr: index + 1,
      chardev: `port${index}`,
      name,
    };
    return [
      ...socketChardev(`port${index}`, INHERITED[socket]),
      "-device",
      json({ ...device, id: `channel${index}` }),
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
  return ["-device", json(bus), ...ports];
}

/** Name of the n-th slot for hot-plugged disks. */
export function slotName(index: number): string {
  return `slot${index}`;
}

function slotArguments(slots: number): string[] {
  return Array.from({ length: slots }, (_, index) => {
    // The chassis number must be unique; the address leaves the low ones to the devices that are there at the start.
    const port = {
      driver: "pcie-root-port",
      id: slotName(index),
      bus: "pcie.0",
      chassis: index + 1,
      slot: index + 1,
    };
    return ["-device", json(port)];
  }).flat();
}

function paramArguments(params: readonly Param[]): string[] {
  return params.flatMap(({ key, value }) => (value ? [`-${key}`, value] : [`-${key}`]));
}

/**
 * QEMU's arguments for a VM. A pure function: the same plan gives the same arguments.
 * @throws HuskError ERR_CONFIG_INVALID when the VM would have no agent channel it needs
 */
export function qemuArguments(plan: QemuPlan): string[] {
  const { config } = plan;
  if (plan.drives.some(({ id }) => !/^[a-z0-9]{1,20}$/.test(id))) {
    throw new HuskError("ERR_CONFIG_INVALID", "a drive id must be 1 to 20 lower case letters and digits");
  }
  return [
    ...["-name", `husk-${plan.podId}`, "-uuid", plan.uuid],
    ...["-machine", machineArgument(plan), "-cpu", cpuArgument(plan.accelerator)],
    ...["-smp", String(plan.vcpus), ...memoryArguments(plan)],
    ...["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
    ...["-bios", config.firmwarePath ?? DEFAULT_FIRMWARE],
    ...["-kernel", plan.kernelPath, "-initrd", plan.imagePath],
    ...["-append", kernelCommandLine(plan)],
    // The console's file is handed over open, so that the pod's directory may be renamed meanwhile.
    ...["-add-fd", `fd=${INHERITED.console},set=1`, "-chardev", "file,id=console0,path=/dev/fdset/1"],
    ...["-serial", "chardev:console0"],
    ...socketChardev("qmp0", INHERITED.qmp),
    ...["-mon", "chardev=qmp0,mode=control"],
    ...slotArguments(plan.slots),
    ...portArguments(plan),
    ...driveArguments(plan),
    ...shareArguments(plan),
    ...["-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"],
    ...paramArguments(config.hypervisorParams ?? []),
  ];
}

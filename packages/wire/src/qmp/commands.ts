/** State of the virtual machine, as in QAPI's `RunState`. */
export type QmpRunState =
  | "colo"
  | "debug"
  | "finish-migrate"
  | "guest-panicked"
  | "inmigrate"
  | "internal-error"
  | "io-error"
  | "paused"
  | "postmigrate"
  | "prelaunch"
  | "restore-vm"
  | "running"
  | "save-vm"
  | "shutdown"
  | "suspended"
  | "watchdog";

/** A disk as raw bytes of a host file or block device, for `blockdev-add`. */
export interface QmpRawBlockdev {
  /** format of the image */
  driver: "raw";
  /** name `device_add` and `blockdev-del` know it by, 31 bytes at most */
  "node-name": string;
  /** whether the guest may not write it */
  "read-only"?: boolean;
  /** host file behind it */
  file: QmpRawFile;
}

/** A host file or block device. */
interface QmpRawFile {
  /** protocol: a regular file, or a block device */
  driver: "file" | "host_device";
  /** path on the host */
  filename: string;
  /** whether QEMU locks the file */
  locking?: "auto" | "on" | "off";
}

/** The bytes of a host file or block device by themselves, for `blockdev-add`; a disk names it as its `file`. */
interface QmpFileBlockdev extends QmpRawFile {
  /** name that others know it by, 31 bytes at most */
  "node-name": string;
  /** whether nobody may write it */
  "read-only"?: boolean;
}

/** A disk as raw bytes of what has been opened by a name, for `blockdev-reopen`. */
interface QmpReopenedBlockdev extends Omit<QmpRawBlockdev, "file"> {
  /** name of what is behind it from now on */
  file: string;
}

/** A device to plug, for `device_add`; further keys are the driver's own properties. */
export interface QmpDevice {
  /** device model, `"virtio-blk-pci"` */
  driver: string;
  /** id that `device_del` and DEVICE_DELETED use */
  id?: string;
  /** bus to plug it into */
  bus?: string;
  /** property of the driver */
  [property: string]: string | number | boolean | undefined;
}

/** What is behind a network interface, for `netdev_add`; a device names it as its `netdev`. */
export type QmpNetdev =
  /** a tap interface, opened by its name, without a script of QEMU's to set it up */
  | {
      type: "tap";
      id: string;
      ifname: string;
      script: "no";
      downscript: "no";
      queues?: number;
      vhost?: boolean;
    }
  /** its descriptors, with `:` between: the numbers of inherited ones, the names of those that `getfd` took */
  | { type: "tap"; id: string; fds: string; vhost?: boolean }
  /** a program that speaks vhost-user, at a character device */
  | { type: "vhost-user"; id: string; chardev: string }
  /** QEMU's own network; `tcp:127.0.0.1:8080-:80` leads a port of the host to one of the guest */
  | { type: "user"; id: string; hostfwd?: { str: string }[] };

/** A unix socket to connect to, as a character device, for `chardev-add`. */
export interface QmpSocketChardev {
  /** id that a device or netdev knows it by */
  id: string;
  /** the socket */
  backend: {
    type: "socket";
    data: { addr: { type: "unix"; data: { path: string } }; server: false };
  };
}

/** One memory backend in the answer to `query-memdev`; the rest of its data is not used. */
export interface QmpMemdev {
  /** name of the object; missing when it has none */
  id?: string;
  /** whether other processes can have the memory */
  share: boolean;
}

/** One virtual CPU in the answer to `query-cpus-fast`. */
export interface QmpCpu {
  /** index of the CPU */
  "cpu-index": number;
  /** path in QEMU's object tree */
  "qom-path": string;
  /** thread id on the host */
  "thread-id": number;
}

/** One place for a virtual CPU in the answer to `query-hotpluggable-cpus`; the rest of its data is not used. */
export interface QmpCpuPlace {
  /** device model to plug in */
  type: string;
  /** where it is, by number: `socket-id`, `core-id`, … */
  props: { [property: string]: number };
  /** path of the CPU in QEMU's object tree; missing: there is none yet */
  "qom-path"?: string;
}

/** One plugged memory device in the answer to `query-memory-devices`. */
export interface QmpMemoryDevice {
  /** kind, `"dimm"` */
  type: string;
  /** its properties, as its kind defines them; `size` is in bytes */
  data: { id?: string; size?: number } & { [property: string]: unknown };
}

/** What is behind memory that is plugged in, for `object-add`. */
export interface QmpMemoryBackend {
  /** kind */
  "qom-type": "memory-backend-ram" | "memory-backend-memfd" | "memory-backend-file";
  /** name that `device_add` and `object-del` know it by */
  id: string;
  /** bytes */
  size: number;
  /** whether other processes can have the memory */
  share?: boolean;
  /** take it all from the host at once */
  prealloc?: boolean;
  /** from the host's huge pages */
  hugetlb?: boolean;
  /** the file that it is in */
  "mem-path"?: string;
}

/** An ability of migration, to be turned on or off. */
interface QmpMigrationCapability {
  /** `events`: MIGRATION tells how it goes; `x-ignore-shared`: memory that others share stays where it is */
  capability: "events" | "x-ignore-shared";
  state: boolean;
}

/** One block node in the answer to `query-named-block-nodes`; the rest of its data is not used. */
export interface QmpBlockNode {
  /** name that `blockdev-add` gave it */
  "node-name"?: string;
}

/** Program version in the greeting and the answer to `query-version`. */
export interface QmpVersion {
  /** version of QEMU */
  qemu: { major: number; minor: number; micro: number };
  /** distribution's package name, may be empty */
  package: string;
}

/** An object without keys: arguments of a command that takes none, value of one that gives none. */
type None = Record<string, never>;

/**
 * The commands husk gives to QEMU: arguments, and what the `return` value is by QAPI. The decoder does not check
 * return values against this: QEMU is started by us, but has a guest inside, so check what you rely on.
 */
export interface QmpCommands {
  /** Ends the negotiation; must come first. */
  qmp_capabilities: { arguments: { enable?: string[] }; return: None };
  /** Asks whether the guest runs. */
  "query-status": { arguments: None; return: { status: QmpRunState; running: boolean } };
  /** Asks for QEMU's version. */
  "query-version": { arguments: None; return: QmpVersion };
  /** Asks for the virtual CPUs, without disturbing them. */
  "query-cpus-fast": { arguments: None; return: QmpCpu[] };
  /** Asks for the places of virtual CPUs, taken and free. */
  "query-hotpluggable-cpus": { arguments: None; return: QmpCpuPlace[] };
  /** Asks for one property of an object; what it is depends on both. */
  "qom-get": { arguments: { path: string; property: string }; return: unknown };
  /** Asks for the hot-plugged memory. */
  "query-memory-devices": { arguments: None; return: QmpMemoryDevice[] };
  /** Asks for the open disk images; `flat` leaves out what is behind them. */
  "query-named-block-nodes": { arguments: { flat?: boolean }; return: QmpBlockNode[] };
  /** Asks for the memory backends. */
  "query-memdev": { arguments: None; return: QmpMemdev[] };
  /** Asks for the character devices. */
  "query-chardev": { arguments: None; return: { label: string }[] };
  /** Says how state is to be saved and loaded. */
  "migrate-set-capabilities": { arguments: { capabilities: QmpMigrationCapability[] }; return: None };
  /** Begins to send the VM's state to a place, `unix:PATH`; MIGRATION tells when it is there. */
  migrate: { arguments: { uri: string }; return: None };
  /** Begins to load a VM's state from a place, `fd:NUMBER`; MIGRATION tells when it is loaded. */
  "migrate-incoming": { arguments: { uri: string }; return: None };
  /** Stops the virtual CPUs. */
  stop: { arguments: None; return: None };
  /** Lets the virtual CPUs go on. */
  cont: { arguments: None; return: None };
  /** Ends QEMU at once, as pulling the plug would. */
  quit: { arguments: None; return: None };
  /** Presses the power button; needs someone in the guest who listens. */
  system_powerdown: { arguments: None; return: None };
  /** Opens a disk image. */
  "blockdev-add": { arguments: QmpRawBlockdev | QmpFileBlockdev; return: None };
  /** Opens disks anew, as they are described now: also with other files behind them, while their devices use them. */
  "blockdev-reopen": { arguments: { options: QmpReopenedBlockdev[] }; return: None };
  /** Closes a disk image no device uses. */
  "blockdev-del": { arguments: { "node-name": string }; return: None };
  /** Takes the descriptor that comes with the command, by a name that begins with no digit. */
  getfd: { arguments: { fdname: string }; return: None };
  /** Closes such a descriptor that nothing has taken. */
  closefd: { arguments: { fdname: string }; return: None };
  /** Makes what is to be behind a network interface. */
  netdev_add: { arguments: QmpNetdev; return: None };
  /** Ends what was behind a network interface. */
  netdev_del: { arguments: { id: string }; return: None };
  /** Opens a character device. */
  "chardev-add": { arguments: QmpSocketChardev; return: None };
  /** Closes a character device that nothing uses. */
  "chardev-remove": { arguments: { id: string }; return: None };
  /** Makes what is to be behind memory. */
  "object-add": { arguments: QmpMemoryBackend; return: None };
  /** Ends such an object, which no device uses. */
  "object-del": { arguments: { id: string }; return: None };
  /** Plugs a device. */
  device_add: { arguments: QmpDevice; return: None };
  /** Asks the guest to give a device back; done at DEVICE_DELETED. */
  device_del: { arguments: { id: string }; return: None };
}

/** Name of a command husk knows. */
export type QmpCommandName = keyof QmpCommands;

/** A command with its arguments, which may be left out where none is required. */
export type QmpCommand<Name extends QmpCommandName = QmpCommandName> = {
  [N in Name]: None extends QmpCommands[N]["arguments"]
    ? { execute: N; arguments?: QmpCommands[N]["arguments"] }
    : { execute: N; arguments: QmpCommands[N]["arguments"] };
}[Name];

/** Encodes one command as a line; QEMU repeats the id in its answer. */
export function encodeQmpCommand(command: QmpCommand, id: number): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify({ ...command, id })}\n`);
}

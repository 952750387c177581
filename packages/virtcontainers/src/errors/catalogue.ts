/** What the catalogue says about one error code. */
export interface ErrorEntry {
  /** A few words, for headings. */
  readonly title: string;
  /** Exit status of the command line when a command ends with this error. */
  readonly exitCode: number;
  /** What has happened, in general. */
  readonly meaning: string;
  /** What the user can do about it. */
  readonly hint: string;
}

/** Exit status for a wrong command or configuration, as `getopt` programs use it. */
const USAGE = 2;
/** Exit status for a failure of husk itself, as container command lines use it. */
const FAILURE = 125;
/** Exit statuses for a command that could not be executed, as shells use them. */
const NOT_EXECUTABLE = 126;
const NOT_FOUND = 127;

/**
 * Every error that husk's library can give, by its stable code. Codes are never renamed or reused.
 * `docs/errors.md` is generated from this table.
 */
export const ERROR_CATALOGUE = {
  ERR_ABORTED: {
    title: "aborted",
    exitCode: 130,
    meaning: "The caller's AbortSignal fired before the call was done. What the call had made is undone.",
    hint: "Nothing to do, if that was intended.",
  },
  ERR_AGENT_DISCONNECTED: {
    title: "connection to the agent lost",
    exitCode: FAILURE,
    meaning: "The connection to the guest agent ended while it was needed. The VM itself may still run.",
    hint: "Call again. A process that held the pod's channel for others may have ended.",
  },
  ERR_AGENT_PROTOCOL: {
    title: "bad message from the guest",
    exitCode: FAILURE,
    meaning: "The guest sent bytes that its protocol does not allow. Nothing it says is trusted any more.",
    hint: "Stop the pod. If the guest image is husk's own, this is a bug: keep console.log.",
  },
  ERR_AGENT_REFUSED: {
    title: "the agent refused",
    exitCode: FAILURE,
    meaning: "The guest agent answered a command with an error.",
    hint: "The message holds the agent's own words; the pod's console.log may tell more.",
  },
  ERR_AGENT_VERSION: {
    title: "agent of another version",
    exitCode: FAILURE,
    meaning: "The guest agent speaks another version of the protocol than this library.",
    hint: "Build the guest image again, from the same release as the library.",
  },
  ERR_ANNOTATION_NOT_FOUND: {
    title: "no such annotation",
    exitCode: USAGE,
    meaning: "The pod has no annotation of that key.",
    hint: "List the keys with getAnnotations().",
  },
  ERR_ASSET_MISSING: {
    title: "file missing",
    exitCode: FAILURE,
    meaning:
      "A file that the VM is made of (kernel, image, firmware, disk) does not exist or cannot be read.",
    hint: "Check the paths in hypervisorConfig; the guest image is made by the set-up.",
  },
  ERR_BOOT_TIMEOUT: {
    title: "the guest did not come up",
    exitCode: FAILURE,
    meaning:
      "The VM started, but its agent did not say READY in time. The message ends with the console's last lines.",
    hint: "Read the console lines. On a very slow machine set HUSK_DEADLINE_FACTOR to 2 or more.",
  },
  ERR_CACHE_CLOSED: {
    title: "the cache of VMs is closed",
    exitCode: FAILURE,
    meaning: "The server that keeps VMs ready is ending, and gives none away any more.",
    hint: "Start it again (husk cache serve), or do without.",
  },
  ERR_CACHE_IN_USE: {
    title: "another cache of VMs is there",
    exitCode: FAILURE,
    meaning: "Another process keeps VMs ready at that endpoint.",
    hint: "Use that one, stop it (husk cache stop), or name another endpoint.",
  },
  ERR_CACHE_MISMATCH: {
    title: "the cache has other VMs",
    exitCode: FAILURE,
    meaning:
      "The VMs that wait were made of something else than what is asked for, or none of them is ready in time. As a warning: the pod got a VM of its own.",
    hint: "Start the server with the same settings of the VM (husk cache serve), with --template if the VMs are asked for by cache+template, and else without.",
  },
  ERR_CACHE_UNREACHABLE: {
    title: "no cache of VMs",
    exitCode: FAILURE,
    meaning: "Nobody serves VMs at the endpoint, or what does so does not speak VMCache's protocol.",
    hint: "Start a server (husk cache serve), or correct the endpoint.",
  },
  ERR_CNI_CONFIG: {
    title: "no usable CNI configuration",
    exitCode: FAILURE,
    meaning: "No configuration of the CNI network was found, or one cannot be read or has a wrong value.",
    hint: "See that the directory (networkConfig.cni.confDirs, by default /etc/cni/net.d) has the network, and correct the file named.",
  },
  ERR_CNI_PLUGIN: {
    title: "CNI plugin failed",
    exitCode: FAILURE,
    meaning: "A CNI plugin refused, failed or did not end in time. What it had done was undone by DEL.",
    hint: "See what the plugin says; run it by hand with the same configuration if that does not tell.",
  },
  ERR_CNI_PLUGIN_MISSING: {
    title: "CNI plugin missing",
    exitCode: FAILURE,
    meaning: "A network configuration names a plugin that is in none of the plugin directories.",
    hint: "Install it (Debian: containernetworking-plugins), or name its directory in networkConfig.cni.binDirs.",
  },
  ERR_CNI_RESULT: {
    title: "CNI plugin printed nonsense",
    exitCode: FAILURE,
    meaning: "A CNI plugin succeeded, but what it printed is not a result that the CNI specification allows.",
    hint: "The plugin or its version does not fit. Try another cniVersion in its configuration.",
  },
  ERR_CONFIG_INVALID: {
    title: "invalid configuration",
    exitCode: USAGE,
    meaning: "A field of the configuration has a wrong type or value; the message names the field.",
    hint: "Correct the field that the message names.",
  },
  ERR_CONFIG_UNKNOWN_FIELD: {
    title: "unknown field",
    exitCode: USAGE,
    meaning: "The configuration has a field that does not exist. Nothing is ever silently ignored.",
    hint: "Correct the name; the message names the nearest known one.",
  },
  ERR_CONTAINER_EXISTS: {
    title: "container exists already",
    exitCode: FAILURE,
    meaning: "The pod, or the namespace of the container module, has a container of that id already.",
    hint: "Choose another id, or delete the container first.",
  },
  ERR_CONTAINER_NOT_FOUND: {
    title: "no such container",
    exitCode: FAILURE,
    meaning: "The pod, or the namespace of the container module, has no container of that id.",
    hint: "`husk ps -a --json` (statusPod) lists the containers of a pod, `husk module list` those of the module.",
  },
  ERR_CONTAINER_STUCK: {
    title: "container cannot be stopped",
    exitCode: FAILURE,
    meaning:
      "The container's process did not end when it was killed: the kernel waits for something on its behalf. The container is still there.",
    hint: "See what it waits for (a disk, a network file system), then delete it again.",
  },
  ERR_DEVICE_MISSING: {
    title: "no such device",
    exitCode: USAGE,
    meaning: "A device that a container is to have is not there on the host, or cannot be looked at.",
    hint: "Correct the device that the message names.",
  },
  ERR_ENTRYPOINT_INVALID: {
    title: "invalid entrypoint",
    exitCode: USAGE,
    meaning:
      "The command line of a container cannot be split into words, has none, or begins with an empty one; or its .startup.toml cannot be used. Nothing was made.",
    hint: "Words are split as shlex does: quotes and backslashes must be complete, and # begins a comment.",
  },
  ERR_FLIST_BLOCK: {
    title: "block of an flist not to be had",
    exitCode: FAILURE,
    meaning:
      "A block of a file is in none of the stores that may be asked, or what they gave is not that block.",
    hint: "The message tells what each store said. See that the store can be reached and still has the block, or pack the flist again.",
  },
  ERR_FLIST_INVALID: {
    title: "invalid flist",
    exitCode: FAILURE,
    meaning:
      "A file is no flist, or holds what no flist may: names that lead elsewhere, files that do not fit their blocks, too much of something.",
    hint: "Get the flist anew, or pack it again; a .flist (of version 1) must be converted to .fl by its own tools.",
  },
  ERR_FLIST_STORE_DENIED: {
    title: "store not allowed",
    exitCode: FAILURE,
    meaning:
      "All stores in which an flist says a block is are ones that the caller has not allowed. Nothing was asked of them.",
    hint: "If they can be trusted, allow them: --allow URL (allowedStores).",
  },
  ERR_HOOK_FAILED: {
    title: "hook failed",
    exitCode: FAILURE,
    meaning:
      "A hook of the pod could not be run, or ended with another status than 0. The message ends with the last of its output. Of a PreStart hook this undoes the call; of any other it is a warning.",
    hint: "Correct the hook that the message names.",
  },
  ERR_HOOK_TIMEOUT: {
    title: "hook took too long",
    exitCode: FAILURE,
    meaning:
      "A hook of the pod did not end within its timeout and was killed, with its process group. Of a PreStart hook this undoes the call; of any other it is a warning.",
    hint: "Give the hook a longer timeout (in seconds), or correct what it waits for.",
  },
  ERR_HOST_MEMORY: {
    title: "not that kind of memory",
    exitCode: FAILURE,
    meaning: "The host cannot give the VM its memory in the way asked for: preallocated, huge or locked.",
    hint: "Change the host as the message says, or ask for ordinary memory.",
  },
  ERR_ID_INVALID: {
    title: "invalid id",
    exitCode: USAGE,
    meaning: "An id is not 1 to 64 letters, digits, '_', '.' or '-', beginning with a letter or a digit.",
    hint: "Use 1 to 64 letters, digits, '_', '.' and '-', beginning with a letter or a digit.",
  },
  ERR_IMAGE_INVALID: {
    title: "invalid image",
    exitCode: FAILURE,
    meaning: "An OCI image layout is incomplete, does not fit its checksums, or holds what no image may.",
    hint: "Copy or build the image again; the message names the file.",
  },
  ERR_KVM_UNUSABLE: {
    title: "KVM cannot be used",
    exitCode: FAILURE,
    meaning: "KVM was demanded by HUSK_ACCEL, and this machine does not let it be used.",
    hint: "Unset HUSK_ACCEL, or set it to tcg.",
  },
  ERR_LOCK: {
    title: "cannot lock",
    exitCode: FAILURE,
    meaning: "A lock file of a pod could not be locked.",
    hint: "flock(1) of util-linux must be installed, and the state directory on a local file system.",
  },
  ERR_LOG_DAMAGED: {
    title: "log damaged",
    exitCode: FAILURE,
    meaning:
      "A part of a container's log is unreadable, or was removed before it could be read; what can be read is given. A warning.",
    hint: "Read more often, or keep more: shimConfig.log (husk run: --log-max-size, --log-max-files).",
  },
  ERR_MEMORY_TOO_SMALL: {
    title: "too little memory to boot",
    exitCode: USAGE,
    meaning: "The guest's kernel cannot boot with that little memory.",
    hint: "Give the pod at least the amount that the message names; 128 MiB is a good least value.",
  },
  ERR_MODULE_BUSY: {
    title: "container module's service is busy",
    exitCode: FAILURE,
    meaning:
      "The service has as many connections, or answers as many calls of one, as it may. Nothing was done; containers are not affected.",
    hint: "Try again later, or end what goes on there (husk module logs --follow, husk module exec).",
  },
  ERR_MODULE_PROTOCOL: {
    title: "bad message of the container module's service",
    exitCode: FAILURE,
    meaning:
      "One side of the container module's socket said what its protocol does not allow, or is of another version. The connection has ended.",
    hint: "Restart the service (husk module serve) with the husk that calls it.",
  },
  ERR_MODULE_SERVED: {
    title: "container module served already",
    exitCode: FAILURE,
    meaning: "Another process serves the container module on that socket.",
    hint: "Use that one, end it first, or choose another socket (--socket).",
  },
  ERR_MODULE_UNREACHABLE: {
    title: "no container module",
    exitCode: FAILURE,
    meaning:
      "Nobody serves the container module on the socket, or the service ended before it had answered. Containers are not affected.",
    hint: "Start it (husk module serve); whether the call was carried out, husk module list tells.",
  },
  ERR_MOUNT_SOURCE_MISSING: {
    title: "nothing to mount",
    exitCode: USAGE,
    meaning:
      "The file or directory of the host that a container is to have as a mount does not exist or cannot be reached.",
    hint: "Correct the source that the message names.",
  },
  ERR_NAME_INVALID: {
    title: "invalid name",
    exitCode: USAGE,
    meaning: "A namespace or a name of the container module is not one that containerd would take.",
    hint: "Use letters and digits, in groups joined by single '.', '_' or '-', at most 76 characters.",
  },
  ERR_NETWORK_CLASH: {
    title: "addresses clash",
    exitCode: FAILURE,
    meaning:
      "Two interfaces have the same address, hardware address or name, or another machine has the address already.",
    hint: "Give each its own: see the configuration of the network, and what else is on it.",
  },
  ERR_NETWORK_LINK: {
    title: "network interface cannot be used",
    exitCode: FAILURE,
    meaning: "A network interface is missing, has vanished or could not be set up.",
    hint: "See what ip(8) says of it in the namespace named.",
  },
  ERR_NETWORK_NAMESPACE: {
    title: "network namespace cannot be used",
    exitCode: FAILURE,
    meaning: "A network namespace is missing, or could not be made or entered.",
    hint: "See that the path is that of a network namespace, and that husk runs as root.",
  },
  ERR_NOT_DETACHED: {
    title: "container not detached",
    exitCode: FAILURE,
    meaning:
      "The container's streams are its caller's: there is no log of them, and nobody else can attach to them.",
    hint: "Start it detached: with cmd.detach and a shim that is a program (husk run: -d).",
  },
  ERR_NOT_SUPPORTED: {
    title: "not supported",
    exitCode: USAGE,
    meaning: "A known kind or option that this version does not offer, or not in this combination.",
    hint: "Use what the message names as supported.",
  },
  ERR_NO_DEVICE_SLOT: {
    title: "no free device slot",
    exitCode: FAILURE,
    meaning: "The VM has no room for one more device, processor or piece of memory.",
    hint: "Raise hypervisorConfig.defaultBridges, or use the blockDeviceDriver virtio-scsi, whose disks need no slots; for processors and memory, raise defaultMaxVCPUs and memSlots.",
  },
  ERR_POD_EXISTS: {
    title: "pod exists already",
    exitCode: FAILURE,
    meaning: "A pod of that id exists already.",
    hint: "Choose another id, or delete the pod first.",
  },
  ERR_POD_NOT_FOUND: {
    title: "no such pod",
    exitCode: FAILURE,
    meaning: "There is no pod of that id under this state directory.",
    hint: "`husk ps -a` (listPod) lists the pods. HUSK_ROOT chooses the state directory.",
  },
  ERR_PORT_IN_USE: {
    title: "port in use",
    exitCode: FAILURE,
    meaning: "A port of the host that is to lead to the pod is taken.",
    hint: "Choose another port, or end what listens there: ss -lntup shows it.",
  },
  ERR_PROGRAM_NOT_EXECUTABLE: {
    title: "program cannot be executed",
    exitCode: NOT_EXECUTABLE,
    meaning: "The container has the program that was asked for, but it cannot be executed.",
    hint: "Look at its mode, its user, and what it is: a program of another machine, or a directory.",
  },
  ERR_PROGRAM_NOT_FOUND: {
    title: "no such program",
    exitCode: NOT_FOUND,
    meaning: "The container has no program of the name that was asked for.",
    hint: "A name without a slash is looked for in the directories of PATH.",
  },
  ERR_PROXY_START: {
    title: "no proxy",
    exitCode: FAILURE,
    meaning:
      "The program that carries callers' words to the pod's agent could not be started, or did not stay.",
    hint: "Check proxyConfig.path; proxy.log of the pod may tell why.",
  },
  ERR_QEMU_MISSING: {
    title: "no QEMU",
    exitCode: FAILURE,
    meaning: "The QEMU program does not exist or cannot be executed.",
    hint: "Install qemu-system-x86, or correct hypervisorConfig.hypervisorPath.",
  },
  ERR_QEMU_START: {
    title: "QEMU did not start",
    exitCode: FAILURE,
    meaning: "QEMU ended before it was ready. The message holds its own words.",
    hint: "Correct what QEMU complains about.",
  },
  ERR_QMP: {
    title: "QEMU refused a command",
    exitCode: FAILURE,
    meaning:
      "QEMU answered a command of its control protocol with an error, or with something unintelligible.",
    hint: "The message holds QEMU's own words; qemu.log of the pod may tell more.",
  },
  ERR_ROOTFS_BUILD: {
    title: "root file system not packed",
    exitCode: FAILURE,
    meaning: "The directory could not be packed into a disk image.",
    hint: "mkfs.erofs of erofs-utils must be installed, and the cache directory writable and not full.",
  },
  ERR_ROOTFS_CHANGED: {
    title: "root file system kept changing",
    exitCode: FAILURE,
    meaning: "The root directory was changed while it was packed, again and again.",
    hint: "Stop what writes into it, and try again.",
  },
  ERR_ROOTFS_MISSING: {
    title: "no root file system",
    exitCode: USAGE,
    meaning:
      "The container's root file system does not exist, or is neither a directory nor a known disk image.",
    hint: "Give a directory, or an erofs, ext4 or squashfs image.",
  },
  ERR_RUNTIME: {
    title: "container runtime failed",
    exitCode: FAILURE,
    meaning:
      "The program that carries out containers (runc, crun, husk-vm-runtime) refused, failed or could not be run. The message holds its own words.",
    hint: "If the words are about a program that is not found, correct the entrypoint.",
  },
  ERR_SHARE_BIND: {
    title: "cannot be shared",
    exitCode: FAILURE,
    meaning:
      "A file or directory of the host could not be bound into the directory that the pod shares with the host.",
    hint: "The message holds the words of mount(8).",
  },
  ERR_SHARE_LOST: {
    title: "shared directories lost",
    exitCode: FAILURE,
    meaning:
      "The process that serves the shared directories of the pod has ended while the VM runs. What the guest has of them hangs.",
    hint: "Stop the pod and start it again; virtiofsd.log of the pod may tell why.",
  },
  ERR_SHIM_LOST: {
    title: "connection to the shim lost",
    exitCode: FAILURE,
    meaning:
      "The connection to the shim of a detached process ended while it was needed: the shim was killed, or sent away a reader that was too slow. The process goes on.",
    hint: "Call again: a shim that is dead is brought back. The log has all output (husk logs).",
  },
  ERR_SHIM_START: {
    title: "no shim",
    exitCode: FAILURE,
    meaning:
      "The program that stands for a process of the pod on the host could not be started, or ended before its process began.",
    hint: "Check shimConfig.path; shim.log of the pod may tell why.",
  },
  ERR_STATE_CORRUPT: {
    title: "state unreadable",
    exitCode: FAILURE,
    meaning: "The pod's state file is torn or is not what husk writes. husk does not guess.",
    hint: "Make sure that the pod's QEMU does not run, then remove the directory that the message names.",
  },
  ERR_STATE_INVALID: {
    title: "not in this state",
    exitCode: FAILURE,
    meaning: "The pod or container is in a state in which this call makes no sense.",
    hint: "The message tells the state and what was expected.",
  },
  ERR_STATE_VERSION: {
    title: "state of another version",
    exitCode: FAILURE,
    meaning: "The pod's state was written by another version of husk.",
    hint: "Use that version to stop and delete the pod.",
  },
  ERR_STORE: {
    title: "state directory unusable",
    exitCode: FAILURE,
    meaning: "A file or directory of the state or the cache could not be made, read or written.",
    hint: "Check owner, mode and free space; HUSK_ROOT and HUSK_CACHE choose other places.",
  },
  ERR_TIMEOUT: {
    title: "deadline passed",
    exitCode: FAILURE,
    meaning: "Something did not happen before its deadline; the message says what.",
    hint: "On a very slow machine set HUSK_DEADLINE_FACTOR to 2 or more.",
  },
  ERR_VIRTIOFSD: {
    title: "no virtiofsd",
    exitCode: FAILURE,
    meaning:
      "The program that serves shared directories to a VM is not there, cannot be started, or may only be started by root.",
    hint: "Install qemu-system-common (Debian 12) or virtiofsd, and run as root; or share nothing.",
  },
  ERR_VM_LOST: {
    title: "the VM is gone",
    exitCode: FAILURE,
    meaning: "The VM ended while it was needed. The message ends with the console's last lines.",
    hint: "The pod is stopped now: start it again or delete it.",
  },
} as const satisfies Record<string, ErrorEntry>;

/** A stable error code. */
export type ErrorCode = keyof typeof ERROR_CATALOGUE;

import { createHash } from "node:crypto";
import { join } from "node:path";

/** Directories of a module: modules with the same ones have the same containers. */
export interface ModuleDirectories {
  /** what outlives a reboot: descriptions, states, what containers have written */
  readonly stateRoot: string;
  /** what does not: sockets, FIFOs, what runtimes know */
  readonly runRoot: string;
  /** logs, `<ns>/<name>.log` */
  readonly logRoot: string;
}

/** Name of a container. */
export interface ContainerName {
  readonly ns: string;
  readonly name: string;
}

/** Where all of a container's things are. */
export interface ContainerPlaces extends ContainerName {
  /** its directory; whoever made it has the name */
  readonly directory: string;
  /** its description */
  readonly record: string;
  /** locked by who changes something about it */
  readonly lock: string;
  /** there from the moment on from which it is being deleted */
  readonly deleting: string;
  readonly bundle: string;
  /** root file system of the bundle, where there is one of its own */
  readonly rootfs: string;
  /** what its shim is to do */
  readonly plan: string;
  /** what its shim knows of it */
  readonly state: string;
  /** locked by its shim */
  readonly shimLock: string;
  /** what its shim says when something is wrong with itself */
  readonly shimLog: string;
  /** directory of what does not outlive a reboot */
  readonly run: string;
  readonly socket: string;
  /** FIFO of its output */
  readonly output: string;
  readonly pidFile: string;
  readonly exitFile: string;
  readonly runtimeLog: string;
  /** what an OCI runtime knows of the containers of the namespace */
  readonly runtimeRoot: string;
  readonly logDirectory: string;
  readonly log: string;
}

/** Tells where everything of a container is. */
export function placesOf(
  { stateRoot, runRoot, logRoot }: ModuleDirectories,
  of: ContainerName,
): ContainerPlaces {
  const { ns, name } = of;
  const directory = join(namespacesDirectory(stateRoot), ns, name);
  const bundle = join(directory, "bundle");
  // The path of a socket may have 107 bytes only, and a namespace and a name 152 together.
  const hash = createHash("sha256").update(`${ns}/${name}`).digest("hex").slice(0, 32);
  const run = join(runRoot, "containers", hash);
  const logDirectory = join(logRoot, ns);
  return {
    ns,
    name,
    directory,
    record: join(directory, "container.json"),
    lock: join(directory, "lock"),
    deleting: join(directory, "deleting"),
    bundle,
    rootfs: join(bundle, "rootfs"),
    plan: join(directory, "plan.json"),
    state: join(directory, "state.json"),
    shimLock: join(directory, "shim.lock"),
    shimLog: join(directory, "shim.log"),
    run,
    socket: join(run, "socket"),
    output: join(run, "output"),
    pidFile: join(run, "pid"),
    exitFile: join(run, "exit"),
    runtimeLog: join(run, "runtime.log"),
    runtimeRoot: join(runRoot, "runtime", ns),
    logDirectory,
    log: join(logDirectory, `${name}.log`),
  };
}

/** Directory with one for each namespace, with one for each container. */
export function namespacesDirectory(stateRoot: string): string {
  return join(stateRoot, "containers");
}

/** Directory of what is not a container yet. */
export function stagingDirectory(stateRoot: string): string {
  return join(stateRoot, "staging");
}

/** Directory of what is no container any more. */
export function trashDirectory(stateRoot: string): string {
  return join(stateRoot, "trash");
}

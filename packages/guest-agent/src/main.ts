/** The guest agent: PID 1 of the VM. In its own tests it is an ordinary process with sockets for the ports. */

import * as sys from "tiny:sys";
import {
  CLOCK_BOOTTIME,
  callSoon,
  errorText,
  F_GETFL,
  F_SETFD,
  F_SETFL,
  FD_CLOEXEC,
  O_NONBLOCK,
  onUncaught,
  readText,
  reapChildren,
  run,
  SIGPIPE,
  stop,
} from "@husk/tiny";
import { enterDiskRoot } from "./boot/disk-root.ts";
import { readPipeSizeWord, readVsockWord } from "./boot/door-words.ts";
import { mountEarly } from "./boot/early-mounts.ts";
import { loadModule } from "./boot/modules.ts";
import { openFirstPort, openPort } from "./boot/ports.ts";
import { powerOff } from "./boot/power.ts";
import { hasVirtio, VirtioKind } from "./boot/virtio.ts";
import { setPipeBytes } from "./core/stdio.ts";
import { log, setLogLevel } from "./log.ts";

/** Names of the ports to the host: of hyperstart's two channels, and of Kata's one. */
const HYPERSTART_CONTROL = "sh.hyper.channel.0";
const HYPERSTART_STREAM = "sh.hyper.channel.1";
const KATA_PORT = "agent.channel.0";

/** Word of the kernel's command line that says how much the agent says: `HUSK_LOG=debug`. */
const LOG_VARIABLE = "HUSK_LOG=";

/** The doors, each read into memory only when it is the one that the host comes by. */
const loadHyperstart = () => import("./hyperstart/door.ts");
const loadKata = () => import("./kata/door.ts");

/** The bus on which this machine's virtio devices are. */
function loadTransport(): void {
  let hasPci = false;
  try {
    hasPci = sys.readdir("/sys/bus/pci/devices").length > 0;
  } catch {
    // A kernel without PCI.
  }
  loadModule(hasPci ? "virtio_pci" : "virtio_mmio");
  loadModule("virtio_console");
}

/** Word of the kernel's command line that says that the VM is to be copied. */
const TEMPLATE_WORD = "HUSK_TEMPLATE=1";

/** Drivers that the containers of nearly every pod need. */
const STORAGE_DRIVERS = ["virtio_blk", "erofs", "overlay"];

/** Loads what every container will need, one module at a time between the host's commands. */
function loadAhead([name, ...others]: string[]): void {
  if (name === undefined) return;
  callSoon(() => {
    loadModule(name);
    loadAhead(others);
  });
}

/** The driver of network interfaces, when the machine has one: others need not wait for it to be loaded. */
function findNetworkDrivers(): string[] {
  return hasVirtio(VirtioKind.NET) ? ["virtio_net"] : [];
}

/** The door is the one whose port the host has given the machine. */
async function openPortDoor(name: string, port: number): Promise<void> {
  if (name === KATA_PORT) {
    (await loadKata()).serveKataPort(port, () => {});
    return;
  }
  const { serveHyperstart } = await loadHyperstart();
  serveHyperstart({
    control: port,
    stream: await openPort(HYPERSTART_STREAM),
    onGone: () => {},
    powerOff: () => {
      // Blocking, so that the answer has reached the host before the machine goes.
      sys.fcntl(port, F_SETFL, sys.fcntl(port, F_GETFL, 0) & ~O_NONBLOCK);
      powerOff();
    },
  });
}

/**
 * Opens the door that the host comes by: a port of ours or, when its word says so, or there is no such port but a device
 * for it, vsock.
 */
async function openDoor(): Promise<void> {
  const commandLine = readText("/proc/cmdline");
  setPipeBytes(readPipeSizeWord(commandLine));
  const word = readVsockWord(commandLine);
  if (word === true) {
    (await loadKata()).serveKataVsock();
    return;
  }
  const names = [HYPERSTART_CONTROL, KATA_PORT];
  const hasVsock = () => word === undefined && hasVirtio(VirtioKind.VSOCK);
  const found = await openFirstPort(names, hasVsock);
  if (found !== undefined) return openPortDoor(...found);
  (await loadKata()).serveKataVsock();
  // The port may only have been found later than the other device.
  openFirstPort(names).then(
    (late) => late && openPortDoor(...late),
    (error: unknown) => log("debug", `vsock is the only door: ${errorText(error)}`),
  );
}

async function bootGuest(): Promise<void> {
  const started = sys.startedAt;
  const running = sys.clock(CLOCK_BOOTTIME);
  mountEarly();
  // The kernel gives PID 1 those words of its command line that it does not know as variables.
  setLogLevel(
    sys.environ.find((variable) => variable.startsWith(LOG_VARIABLE))?.slice(LOG_VARIABLE.length) ?? "",
  );
  const mounted = sys.clock(CLOCK_BOOTTIME);
  loadTransport();
  await enterDiskRoot().catch((error: unknown) => {
    log("error", `no root on a disk: ${error instanceof Error ? error.message : error}`);
    powerOff();
  });
  const loaded = sys.clock(CLOCK_BOOTTIME);
  // What a template has, none of its copies has to load; and nothing must be under way when it is frozen.
  if (sys.environ.includes(TEMPLATE_WORD)) {
    for (const name of ["virtio_net", ...STORAGE_DRIVERS]) loadModule(name, "");
    await (await import("./core/sandbox.ts")).Sandbox.stock();
  }
  await openDoor();
  loadAhead([...findNetworkDrivers(), ...STORAGE_DRIVERS]);
  const times = { started, running, mounted, loaded, ready: sys.clock(CLOCK_BOOTTIME) };
  log(
    "debug",
    Object.entries(times)
      .map(([name, at]) => `${name} ${at.toFixed(1)}`)
      .join(" "),
  );
}

/** An inherited descriptor, as the agent's own are. */
function adopt(text: string | undefined): number {
  const fd = Number(text);
  sys.fcntl(fd, F_SETFL, sys.fcntl(fd, F_GETFL, 0) | O_NONBLOCK);
  sys.fcntl(fd, F_SETFD, FD_CLOEXEC);
  return fd;
}

/**
 * Serves as an ordinary process, in namespaces that somebody else has made: for tests. `hyperstart CONTROL STREAM` and
 * `kata PORT` name inherited descriptors, `kata-socket PATH` a unix socket to be made.
 */
async function serveTest([door, first, second]: readonly string[]): Promise<void> {
  setLogLevel("info");
  if (door === "hyperstart") {
    const { serveHyperstart } = await loadHyperstart();
    serveHyperstart({ control: adopt(first), stream: adopt(second), onGone: stop, powerOff: stop });
  } else if (door === "kata") {
    (await loadKata()).serveKataPort(adopt(first), stop);
  } else if (door === "kata-socket" && first !== undefined) {
    (await loadKata()).serveKataSocket(first);
  } else throw new Error(`there is no door "${door}"`);
}

async function main(): Promise<void> {
  sys.ignoreSignal(SIGPIPE);
  // PID 1 must not end: the kernel would panic, and the pod with it.
  onUncaught((error) => log("error", error instanceof Error ? `${error}\n${error.stack}` : String(error)));
  reapChildren();
  if (sys.getpid() === 1 && sys.argv.length === 1) await bootGuest();
  else await serveTest(sys.argv.slice(1));
  await new Promise(() => {});
}

run(main);

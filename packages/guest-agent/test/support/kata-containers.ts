/** Sandboxes and containers of the Kata door for the tests. */

import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import type { CreateContainerRequest, CreateSandboxRequest, Mount, Process, Spec } from "@husk/wire/kata";
import type { MessageInit } from "@husk/wire/protobuf";
import { TtrpcError } from "@husk/wire/ttrpc";
import { fillImage, needsDisk } from "./disk.ts";
import { type KataConnection, KataSession } from "./kata-session.ts";

let base = "";

/** Makes a folder with a root file system for the tests of this file. */
export function useRoot(): void {
  before(async () => {
    if (needsDisk.skip) return;
    base = await mkdtemp(join(tmpdir(), "husk-kata-"));
    await chmod(base, 0o755);
    await fillImage(join(base, "rootfs"));
  });
  after(async () => {
    if (base) await rm(base, { recursive: true });
  });
}

/** The folder of the root file system that {@link useRoot} has made. */
export const rootPath = () => join(base, "rootfs");

/** A shell of the image with a script. */
export const sh = (script: string) => ["/bin/sh", "-c", script];

/** An agent whose sandbox is made. */
export async function startSandbox(
  request: MessageInit<CreateSandboxRequest> = { hostname: "pod", sandboxPidns: true },
): Promise<KataSession> {
  const session = await KataSession.start();
  try {
    await session.call("CreateSandbox", request);
    return session;
  } catch (error) {
    // The agent would keep the test from ending; what went wrong with it came first.
    await session[Symbol.asyncDispose]().catch(() => {});
    throw error;
  }
}

const QUIET = ["nosuid", "noexec", "nodev"];

/** What may be said of a container's specification. */
export type SpecInit = MessageInit<Spec>;

/** What every container has mounted. */
export const SYSTEM_MOUNTS: MessageInit<Mount>[] = [
  { destination: "/proc", type: "proc", source: "proc", options: QUIET },
  {
    destination: "/dev",
    type: "tmpfs",
    source: "tmpfs",
    options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
  },
  {
    destination: "/dev/pts",
    type: "devpts",
    source: "devpts",
    options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
  },
  { destination: "/sys", type: "sysfs", source: "sysfs", options: [...QUIET, "ro"] },
];

/** Namespaces that every container names; without paths they are its own, or the pod's. */
export const NAMESPACES = [{ Type: "mount" }, { Type: "ipc" }, { Type: "uts" }];

/** A specification as container runtimes are given it. */
export function makeSpec(args: string[], more: SpecInit = {}, process: MessageInit<Process> = {}): SpecInit {
  return {
    Version: "1.1.0",
    Root: { Path: rootPath() },
    Mounts: SYSTEM_MOUNTS,
    Linux: { Namespaces: NAMESPACES },
    ...more,
    Process: { Args: args, Cwd: "/", Env: ["PATH=/bin"], User: {}, ...process },
  };
}
/** A process of a container, as its host sees it. */
export class PulledProcess {
  readonly connection: KataConnection;
  readonly which: { containerId: string; execId: string };

  constructor(connection: KataConnection, containerId: string, execId: string) {
    this.connection = connection;
    this.which = { containerId, execId };
  }

  /** All that it writes to a stream. */
  async read(stream: "ReadStdout" | "ReadStderr", len = 65536): Promise<string> {
    const pieces: Uint8Array[] = [];
    for (;;) {
      try {
        pieces.push((await this.connection.call(stream, { ...this.which, len })).data);
      } catch (error) {
        if (error instanceof TtrpcError && error.message === "EOF") return Buffer.concat(pieces).toString();
        throw error;
      }
    }
  }

  async write(text: string | Uint8Array): Promise<number> {
    const data = typeof text === "string" ? Buffer.from(text) : text;
    return (await this.connection.call("WriteStdin", { ...this.which, data })).len;
  }

  async closeInput(): Promise<void> {
    await this.connection.call("CloseStdin", this.which);
  }

  async signal(signal: number): Promise<void> {
    await this.connection.call("SignalProcess", { ...this.which, signal });
  }

  async wait(): Promise<number> {
    return (await this.connection.call("WaitProcess", this.which)).status;
  }

  /** How it ended, and what it wrote. */
  async result(): Promise<{ code: number; stdout: string; stderr: string }> {
    const [stdout, stderr, code] = await Promise.all([
      this.read("ReadStdout"),
      this.read("ReadStderr"),
      this.wait(),
    ]);
    return { code, stdout, stderr };
  }
}

/** Makes a container whose first process waits. */
export async function createContainer(
  session: KataConnection,
  containerId: string,
  spec: SpecInit,
  more: MessageInit<CreateContainerRequest> = {},
): Promise<PulledProcess> {
  const execId = more.execId ?? containerId;
  await session.call("CreateContainer", { containerId, execId, OCI: spec, sandboxPidns: true, ...more });
  return new PulledProcess(session, containerId, execId);
}

/** Makes a container and starts it. */
export async function startContainer(
  session: KataConnection,
  containerId: string,
  spec: SpecInit,
  more: MessageInit<CreateContainerRequest> = {},
): Promise<PulledProcess> {
  const process = await createContainer(session, containerId, spec, more);
  await session.call("StartContainer", { containerId });
  return process;
}

/** Runs a container to its end, and removes it. */
export async function runContainer(
  session: KataConnection,
  spec: SpecInit,
  more: MessageInit<CreateContainerRequest> = {},
) {
  const process = await startContainer(session, "run", spec, more);
  const result = await process.result();
  await session.call("RemoveContainer", { containerId: "run" });
  return result;
}

/** Starts one more process of a container. */
export async function exec(
  session: KataConnection,
  containerId: string,
  execId: string,
  args: string[],
  more: MessageInit<Process> = {},
): Promise<PulledProcess> {
  const process = { Args: args, Cwd: "/", Env: ["PATH=/bin"], User: {}, ...more };
  await session.call("ExecProcess", { containerId, execId, process });
  return new PulledProcess(session, containerId, execId);
}

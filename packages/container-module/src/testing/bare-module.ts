import { spawn } from "node:child_process";
import { HuskError } from "@husk/virtcontainers";
import type { ContainerInfo, ContainerModule, ExecProcess, TerminalSize } from "../types.ts";

/** A module without containers: what a test wants of it, it says itself; `exec` runs programs of this machine, which read sizes as input. */
export function makeBareModule(methods: Partial<ContainerModule> = {}): ContainerModule {
  return {
    run: async (_ns, name) => name,
    inspect: async (ns, id) => describeContainer(ns, id),
    delete: async () => {},
    list: async (ns = "acme") => [describeContainer(ns, "one"), describeContainer(ns, "two")],
    logs: async function* () {},
    exec: async (_ns, _id, args, { signal } = {}) => runHere(args, signal),
    ...methods,
  };
}

/** Waits until the caller has enough, as what takes long does. */
export function untilAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    const abort = () => reject(new HuskError("ERR_ABORTED", "the call was aborted"));
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort, { once: true });
  });
}

function describeContainer(ns: string, id: string): ContainerInfo {
  return {
    id,
    name: id,
    flist: "/srv/root.fl",
    tags: ["a"],
    mounts: [],
    ours: {
      ns,
      state: "running",
      restarts: 0,
      createdAt: "2026-11-23T00:00:00.000Z",
      args: ["sleep", "1"],
      logPath: "/var/log/x.log",
      backend: "oci",
    },
  };
}

function runHere([program = "", ...args]: readonly string[], signal: AbortSignal | undefined): ExecProcess {
  const child = spawn(program, args, { stdio: "pipe" });
  child.on("error", () => {});
  const kill = () => void child.kill("SIGKILL");
  signal?.addEventListener("abort", kill, { once: true });
  const ended = new Promise<{ exitCode: number }>((resolve) => {
    child.once("close", (code) => resolve({ exitCode: code ?? 137 }));
  });
  const { stdin, stdout, stderr } = child;
  const resize = ({ rows, columns }: TerminalSize) => void stdin.write(`${rows} ${columns}\n`);
  return { stdin, stdout, stderr, wait: () => ended, resize, [Symbol.dispose]: kill };
}

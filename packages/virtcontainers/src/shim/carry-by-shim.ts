import type { ChildProcess } from "node:child_process";
import { constants } from "node:os";
import { encodeResize, encodeSignal } from "@husk/wire/attach";
import type { GuestProcess } from "../agent/guest-process.ts";
import { tellShim } from "./tell-shim.ts";

/** Exit status of a process ended by a signal is 128 more. */
const SIGNAL_BASE = 128;

/**
 * Makes a process that a shim stands for look as one that this process carries itself: its streams are the shim's pipes, if
 * it has any. Settles when the shim has ended and all its output has been passed on.
 * @returns the shim's exit status
 */
export async function carryByShim(
  io: GuestProcess,
  child: ChildProcess,
  attachSocket: string,
): Promise<number> {
  const { stdin, stdout, stderr } = child;
  for (const [name, output] of [["stdout", stdout] as const, ["stderr", stderr] as const]) {
    output?.on("data", (data: Buffer) => {
      if (!io.pushOutput(name, data)) output.pause();
    });
    output?.on("error", () => {});
  }
  // The shim has ended before it took all; how its process ended is told by its end.
  stdin?.on("error", () => {});
  io.start({
    writeStdin: (data, done) => (stdin ? stdin.write(data, () => done()) : done()),
    closeStdin: () => stdin?.end(),
    resumeOutput: () => {
      stdout?.resume();
      stderr?.resume();
    },
    signal: (signal) => tellShim(attachSocket, encodeSignal(signal)),
    resize: (rows, columns) => tellShim(attachSocket, encodeResize(rows, columns)),
  });
  return new Promise((resolve) => {
    child.once("close", (code, signal) => {
      resolve(code ?? SIGNAL_BASE + (signal ? constants.signals[signal] : 0));
    });
  });
}

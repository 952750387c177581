/** Starts a child that does what the argument says, and prints what is heard of it and how it ended. */
import * as sys from "tiny:sys";
import { exitCode, onExit, run, writeAll } from "@husk/tiny";
import { startChild } from "../../src/core/start-child.ts";

const BODIES: Record<string, (arrived: () => void) => never> = {
  arrives(arrived) {
    arrived();
    sys.exit(0);
  },
  executes: () => sys.execve("/bin/true", ["true"], []),
  complains() {
    throw new Error("no such luck");
  },
  hangs() {
    const [read] = sys.pipe2(0);
    const buffer = new Uint8Array(1);
    for (;;) sys.read(read, buffer, 0, 1);
  },
};

run(async () => {
  const [, name = "", deadlineMs = "0"] = sys.argv;
  const body = BODIES[name];
  if (!body) throw new Error(`no child "${name}"`);
  const child = startChild(body, undefined, 0, Number(deadlineMs));
  const ended = new Promise<number>((resolve) => onExit(child.pid, (status) => resolve(exitCode(status))));
  const heard = await child.started.then(
    () => "started",
    (error) => String(error.message),
  );
  writeAll(1, sys.encodeUtf8(JSON.stringify([heard, await ended])));
});

/** Starts a child that does what the argument says, and prints what is heard of it and how it ended. */
import * as sys from "tiny:sys";
import { errorText, exitCode, onExit, run, writeAll } from "@husk/tiny";
import { type Course, startChild } from "../../src/core/start-child.ts";

const BODIES: Record<string, (course: Course) => never> = {
  arrives(course) {
    course.arrive();
    sys.exit(0);
  },
  executes: () => sys.execve("/bin/true", ["true"], []),
  complains() {
    throw new Error("no such luck");
  },
  pauses(course) {
    course.pause();
    sys.exit(9);
  },
  "pauses, and complains"(course) {
    course.pause();
    throw new Error("no such luck");
  },
  "lets go, and pauses"(course) {
    course.keepOnly([0, 1, 2]);
    course.pause();
    // Its own two pipes are kept, and the descriptor of the listing.
    sys.exit(sys.readdir("/proc/self/fd").length);
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
  const child = startChild(body, { deadlineMs: Number(deadlineMs), pauses: name.includes("pauses") });
  const ended = new Promise<number>((resolve) => onExit(child.pid, (status) => resolve(exitCode(status))));
  const heard = await child.started.then(
    () => "started",
    (error) => String(error.message),
  );
  const further = name.includes("pauses") ? [await child.goOn().then(() => "went on", errorText)] : [];
  writeAll(1, sys.encodeUtf8(JSON.stringify([heard, ...further, await ended])));
});

// Makes calls of the library and kills itself at a phase of the last one:
//   node doomed-call-worker.ts '{"calls": [["stopPod", "id"]], "dieAt": 2}'
import { writeSync } from "node:fs";
import * as library from "@husk/virtcontainers";
import type { DoomedCall } from "./doomed-call.ts";

const { calls, dieAt, skip = [], options = {} }: DoomedCall = JSON.parse(process.argv[2] ?? "");
const functions = library as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
for (const [index, [name, ...args]] of calls.entries()) {
  let phase = 0;
  const onPhase = (event: library.Phase) => {
    if (index < calls.length - 1 || skip.includes(event.name)) return;
    writeSync(1, `${event.name}\n`);
    if (phase++ === dieAt) process.kill(process.pid, "SIGKILL");
  };
  const isLast = index === calls.length - 1;
  await functions[name]?.(...args, { onPhase, ...(isLast ? options : {}) });
}
process.exit(0);

// A process with a container module of its own, for others to kill:
//   node module-worker.ts '{"options": {…}, "calls": [["run", "ns", "web", …]], "stay": true}'
import { writeSync } from "node:fs";
import { type ModuleOptions, openContainerModule, serveContainerModule } from "@husk/container-module";
import { isHuskError } from "@husk/virtcontainers";
import type { ModuleWork } from "./module/module-place.ts";

const { options, calls, stay, socket }: ModuleWork & { options: ModuleOptions } = JSON.parse(
  process.argv[2] ?? "",
);
const module = await openContainerModule(options);
if (socket !== undefined) await serveContainerModule(module, { socket });
const methods = module as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
const logs = module.logs.bind(module) as (...args: unknown[]) => AsyncIterable<Uint8Array>;
writeSync(1, "open\n");
for (const [name, ...words] of calls) {
  // JSON has no undefined.
  const args = words.map((word) => word ?? undefined);
  if (name === "logs") for await (const data of logs(...args)) writeSync(1, data);
  else writeSync(1, `${JSON.stringify((await methods[name]?.(...args).catch(tellCode)) ?? null)}\n`);
}

/** An error that a test may expect ends the process with 3. */
function tellCode(error: unknown): never {
  if (!isHuskError(error)) throw error;
  writeSync(1, `${error.code}: ${error.message}\n`);
  process.exit(3);
}

if (stay) setInterval(() => {}, 1 << 30);

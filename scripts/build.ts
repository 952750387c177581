// Builds the guest and the command line, redoing only the steps whose inputs have changed. `npm run setup`
// runs this with everything in place that it needs.
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { runChangedSteps } from "./build/step.ts";
import { BUILD_STEPS } from "./build/steps.ts";

const root = join(import.meta.dirname, "..");
const output = join(root, "build");

await mkdir(output, { recursive: true });
// What an interrupted build has left half made.
await rm(join(output, "tmp"), { recursive: true, force: true });
process.exitCode = await runChangedSteps(BUILD_STEPS, { root, output });
await rm(join(output, "tmp"), { recursive: true, force: true });

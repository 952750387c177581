import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fingerprint } from "../setup/fingerprint.mjs";
import { runStep } from "../setup/progress.mjs";

/** Where a build works. */
export interface BuildPlaces {
  /** the repository's root */
  root: string;
  /** folder of all output */
  output: string;
}

/** One step of the build. */
export interface BuildStep {
  /** short name, also that of its stamp */
  name: string;
  /** what is done, as "building the agent" */
  title: string;
  /** files and folders that the output is made of, relative to the root; a change in any redoes the step */
  inputs: readonly string[];
  /** what the step leaves, relative to the root; one that is missing redoes the step */
  outputs: readonly string[];
  /** what the user can do when it fails */
  hint: string;
  /** does it */
  run(places: BuildPlaces, onProgress: (text: string) => void): Promise<void>;
}

/**
 * Runs, in order, the steps whose output is missing or is made of other inputs than those of now. A step's
 * stamp is taken away before it and written after it, so that one cut off in the middle is done again.
 *
 * @returns the exit code for the process: 0, or 1 after a step that failed and was reported
 */
export async function runChangedSteps(steps: readonly BuildStep[], places: BuildPlaces): Promise<number> {
  for (const step of steps) {
    const key = fingerprint(places.root, step.inputs);
    const stamp = join(places.output, "stamps", step.name);
    if (await isDone(step, places.root, stamp, key)) continue;
    await rm(stamp, { force: true });
    try {
      await runStep(step.title, (onProgress) => step.run(places, onProgress));
    } catch (error) {
      reportFailure(step, error);
      return 1;
    }
    await mkdir(join(places.output, "stamps"), { recursive: true });
    await writeFile(`${stamp}.new`, key);
    await rename(`${stamp}.new`, stamp);
  }
  return 0;
}

async function isDone(step: BuildStep, root: string, stamp: string, key: string): Promise<boolean> {
  if (!step.outputs.every((path) => existsSync(join(root, path)))) return false;
  return existsSync(stamp) && (await readFile(stamp, "utf8")) === key;
}

const SHOWN_LINES = 20;

function reportFailure(step: BuildStep, error: unknown): void {
  const { message, output } = error as { message?: unknown; output?: unknown };
  const lines = [`husk: ${step.title} failed: ${message ?? error}`];
  if (typeof output === "string" && output !== "") {
    const lastLines = output.trimEnd().split("\n").slice(-SHOWN_LINES);
    lines.push(...lastLines.map((line) => `  ${line}`));
  }
  process.stderr.write(`${[...lines, `husk: hint: ${step.hint}`].join("\n")}\n`);
}

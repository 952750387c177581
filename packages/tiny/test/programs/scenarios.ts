/** What the test programs share: each is a set of scenarios, and prints what the chosen one found, as JSON. */
import * as sys from "tiny:sys";
import { EPOLLIN, isSystemError, run, unwatch, watch, writeAll } from "../../src/index.ts";

/** Does something and gives what the test is to judge. */
export type Scenario = (...args: string[]) => unknown;

/** Runs the scenario that the first argument names. */
export function runScenarios(scenarios: Record<string, Scenario>): void {
  const [, name = "", ...args] = sys.argv;
  const scenario = scenarios[name];
  if (!scenario) throw new Error(`no scenario "${name}"`);
  run(async () => {
    const found = await scenario(...args);
    if (found !== undefined) writeAll(1, sys.encodeUtf8(JSON.stringify(found)));
  });
}

/** What is known of an error that `task` throws; "nothing" when it throws none. */
export function failureOf(task: () => unknown): unknown {
  try {
    task();
  } catch (error) {
    if (isSystemError(error)) {
      const { message, syscall, errno, path } = error;
      return { message, syscall, errno, ...(path !== undefined && { path }) };
    }
    return String(error);
  }
  return "nothing";
}

/** A promise and the function that keeps it. */
export function promiseOf<T>(): [promise: Promise<T>, keep: (value: T) => void] {
  let keep: (value: T) => void = () => {};
  const promise = new Promise<T>((resolve) => {
    keep = resolve;
  });
  return [promise, keep];
}

/** Reads a descriptor to its end and closes it; blocks. */
export function drain(fd: number): string {
  const buffer = new Uint8Array(65536);
  let text = "";
  for (let count = sys.read(fd, buffer, 0, buffer.length); count > 0; ) {
    text += sys.decodeUtf8(buffer.subarray(0, count));
    count = sys.read(fd, buffer, 0, buffer.length);
  }
  sys.close(fd);
  return text;
}

/** Resolves when a descriptor is readable. */
export function readable(fd: number): Promise<void> {
  return new Promise((resolve) => {
    watch(fd, EPOLLIN, () => {
      unwatch(fd);
      resolve();
    });
  });
}

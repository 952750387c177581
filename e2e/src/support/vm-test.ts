import { it as nodeIt, type TestContext } from "node:test";
import { inspect } from "node:util";
import { takeSaid } from "./said.ts";

/** When a test or hook is ended that hangs, in milliseconds; it says nothing about speed. */
export const LIMIT = { timeout: 300_000 };

/** A test that may boot VMs: one that hangs is ended, and its context's signal fires. */
export function it(name: string, test: (context: TestContext) => Promise<void>): void {
  void nodeIt(name, LIMIT, (context) => {
    takeSaid();
    return test(context).catch(tellBoth).catch(tellSaid).catch(tellLate(context));
  });
}

/** An assertion tells what it compares, which is not always what a program has said. */
function tellSaid(error: unknown): never {
  const said = takeSaid();
  if (said === "") throw error;
  throw new Error(`${inspect(error)}\nIts programs have said:\n${said}`);
}

/** What a test waited for when its time was up: node tells only that it was. */
function tellLate({ name, signal }: TestContext): (error: unknown) => never {
  return (error) => {
    if (signal.aborted) process.stderr.write(`${name}: out of time: ${inspect(error)}\n`);
    throw error;
  };
}

/** What a failed test has left behind must not hide why it failed. */
function tellBoth(error: unknown): never {
  if (!(error instanceof SuppressedError)) throw error;
  throw new Error(
    inOrder(error)
      .map((one) => inspect(one))
      .join("\nand then: "),
  );
}

/** Errors of which each has hidden those before it. */
function inOrder(error: unknown): unknown[] {
  return error instanceof SuppressedError ? [...inOrder(error.suppressed), ...inOrder(error.error)] : [error];
}

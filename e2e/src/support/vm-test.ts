import { it as nodeIt, type TestContext } from "node:test";

/** When a test or hook is ended that hangs, in milliseconds; it says nothing about speed. */
export const LIMIT = { timeout: 180_000 };

/** A test that may boot VMs: one that hangs is ended, and its context's signal fires. */
export function it(name: string, test: (context: TestContext) => Promise<void>): void {
  void nodeIt(name, LIMIT, (context) => test(context));
}

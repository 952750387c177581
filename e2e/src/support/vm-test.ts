import { it as nodeIt, type TestContext } from "node:test";

/** milliseconds after which a test is ended that hangs; it says nothing about speed */
const LIMIT = 180_000;

/** A test that may boot VMs: one that hangs is ended, and its context's signal fires. */
export function it(name: string, test: (context: TestContext) => Promise<void>): void {
  void nodeIt(name, { timeout: LIMIT }, (context) => test(context));
}

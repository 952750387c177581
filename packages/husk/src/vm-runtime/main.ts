/** `husk-vm-runtime`: a command line as runc's, whose containers are pods of one container each, in VMs. */

import { runRuntime } from "./run-runtime.ts";

async function main(): Promise<never> {
  // What is still open (a session with an agent, a shim's end that is awaited) may not keep it alive.
  process.exit(await runRuntime(process.argv.slice(2)));
}

void main();

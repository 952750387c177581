/**
 * A process that uses the container module: `node module-worker.ts OPTIONS METHOD ARGUMENTS`, the first and the last in JSON. Prints a
 * line when it begins, and one when it is done; then it waits to be killed.
 */
import { openContainerModule } from "../module/open-module.ts";

const [options = "", method = "", args = ""] = process.argv.slice(2);
const module = await openContainerModule(JSON.parse(options));
process.stdout.write("begins\n");
const given = JSON.parse(args);
if (method === "run") await module.run(given.ns, "a", given.root, [], [], undefined, [], given.command);
else await module.delete(given.ns, "a", { graceMs: 0 });
process.stdout.write("done\n");
await new Promise((resolve) => setTimeout(resolve, 60_000));

/** A process that runs a container: `node module-worker.ts OPTIONS NAMESPACE ROOT`. Prints a line when it begins, and one when it has. */
import { openContainerModule } from "../module/open-module.ts";

const [options = "", ns = "", root = ""] = process.argv.slice(2);
const module = await openContainerModule(JSON.parse(options));
process.stdout.write("begins\n");
await module.run(ns, "a", root, [], [], undefined, [], "sh -c 'echo up; exec sleep 1000'");
process.stdout.write("done\n");
await new Promise((resolve) => setTimeout(resolve, 60_000));

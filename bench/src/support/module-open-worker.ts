// Opens a container module in a process that knows nothing yet, and lists what there is:
//   node module-open-worker.ts '{…options}'
import { type ModuleOptions, openContainerModule } from "@husk/container-module";

const options: ModuleOptions = JSON.parse(process.argv[2] ?? "");
const begin = performance.now();
const module = await openContainerModule(options);
const opened = performance.now();
const infos = await module.list();
const listed = performance.now();
const running = infos.filter(({ ours }) => ours.state === "running").length;
console.log(JSON.stringify({ running, openMs: opened - begin, listMs: listed - opened }));

// Keeps VMs for pods of the benchmark in a process of its own; says "serving", then "full" each time that all of them wait:
//   node cache-worker.ts FOLDER '{"vmCacheNumber":1,"template":true}'
import { serveVmCache, type VmCacheStatus } from "@husk/virtcontainers";
import { BenchPlace } from "./bench-place.ts";
import { podOf } from "./first-moments.ts";

const [folder = "", factory = ""] = process.argv.slice(2);
const ending = Promise.withResolvers<void>();
process.once("SIGTERM", () => ending.resolve());
const { options } = BenchPlace.open(folder);
const tellWhenFull = ({ vms, wanted }: VmCacheStatus) => {
  const ready = vms.filter(({ leased }) => !leased).length;
  if (ready >= Object.values(wanted).reduce((sum, count) => sum + count, 0)) process.stdout.write("full\n");
};
const config = { ...podOf("base", []), containers: [] };
const cache = await serveVmCache(config, JSON.parse(factory), {
  ...options,
  onWaiting: tellWhenFull,
});
process.stdout.write("serving\n");
await ending.promise;
await cache.close();

// Lists the pods of the benchmark in a process of its own, as `husk ps` does, and tells how many milliseconds the call
// took:
//   node list-worker.ts FOLDER
import { listPod } from "@husk/virtcontainers";
import { BenchPlace } from "./bench-place.ts";

const place = BenchPlace.open(process.argv[2] ?? "");
const begin = performance.now();
const { length: count } = await listPod(place.options);
process.stdout.write(JSON.stringify({ count, took: performance.now() - begin }));

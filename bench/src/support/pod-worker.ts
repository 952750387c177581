// Does something with a pod of the benchmark in a process of its own, which lets the agent's channels go at
// its end:
//   node pod-worker.ts FOLDER boot
//   node pod-worker.ts FOLDER boot-kata
//   node pod-worker.ts FOLDER containers COUNT
//   node pod-worker.ts FOLDER execs COUNT
import { createContainer, enterContainer, startContainer } from "@husk/virtcontainers";
import { BenchPlace } from "./bench-place.ts";
import { DEMO_ROOTFS } from "./places.ts";

/** the pod that all workers share */
const POD = "memory";

const [folder = "", action = "", count = "1"] = process.argv.slice(2);
const place = BenchPlace.open(folder);
if (action === "boot") await place.startRestingPod(POD, ["first"]);
if (action === "boot-kata") await place.startRestingPod(POD, ["first"], { agentType: "kata" });
if (action === "containers") await addContainers(Number(count));
if (action === "execs") await execMany(Number(count));
process.exit(0);

async function addContainers(count: number): Promise<void> {
  for (let number = 1; number <= count; number++) {
    const config = { id: `more${number}`, rootFs: DEMO_ROOTFS, cmd: { args: ["sleep", "1000000"] } };
    await createContainer(POD, config, place.options);
    await startContainer(POD, config.id, place.options);
  }
}

async function execMany(count: number): Promise<void> {
  for (let number = 1; number <= count; number++) {
    const options = { ...place.options, attach: true };
    const { process: entered } = await enterContainer(POD, "first", { args: ["/bin/true"] }, options);
    entered.io.stdin.end();
    entered.io.stdout.resume();
    entered.io.stderr?.resume();
    await entered.io.wait();
  }
}

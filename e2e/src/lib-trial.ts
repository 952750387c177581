import { join } from "node:path";
import { text } from "node:stream/consumers";
import {
  deletePod,
  enterContainer,
  runPod,
  startPod,
  statusContainer,
  statusPod,
  stopContainer,
  stopPod,
  waitContainer,
} from "@husk/virtcontainers";
import { DEMO_ROOTFS } from "./support/places.ts";
import { Workplace } from "./support/workplace.ts";

const resident = join(import.meta.dirname, "../../build/resident");
const kind = process.argv[2] as "kata" | "cc";
const shim = process.argv[3] === "shim";
await using place = await Workplace.create();
const { options } = place;
const t0 = performance.now();
const say = (...words: unknown[]) => console.log(Math.round(performance.now() - t0), ...words);
process.on("uncaughtException", (e: any) => {
  console.log("UNCAUGHT", e, e.error, e.suppressed);
  process.exit(1);
});
await runPod(
  {
    id: "pod",
    agentType: kind === "kata" ? "kata" : "hyperstart",
    hypervisorConfig: place.hypervisorConfig,
    proxyType: `${kind}Proxy`,
    proxyConfig: { path: join(resident, `${kind}-proxy`) },
    ...(shim
      ? { shimType: `${kind}Shim` as const, shimConfig: { path: join(resident, `${kind}-shim`) } }
      : {}),
    containers: [
      {
        id: "c",
        rootFs: DEMO_ROOTFS,
        cmd: {
          args: ["sh", "-c", "i=0; while [ $i -lt 1000 ]; do echo line $i; i=$((i+1)); sleep 0.1; done"],
          detach: true,
        },
      },
    ],
  },
  { ...options, onPhase: (p) => say(p.name, Math.round(p.took)) },
);
say("running", (await statusPod("pod", options)).proxyPid, (await statusContainer("pod", "c", options)).pid);
const { process: p } = await enterContainer(
  "pod",
  "c",
  { args: ["sh", "-c", "cat; exit 5"] },
  { ...options, attach: true },
);
p.io.stdin.end("hello through it");
say(await text(p.io.stdout), await p.io.wait());
const big = await enterContainer(
  "pod",
  "c",
  { args: ["sh", "-c", "head -c 16777216 /dev/zero"] },
  { ...options, attach: true },
);
let n = 0;
for await (const chunk of big.process.io.stdout) n += chunk.length;
say(n, await big.process.io.wait());
process.kill((await statusPod("pod", options)).proxyPid ?? 0, "SIGKILL");
await new Promise((r) => setTimeout(r, 100));
const again = await enterContainer(
  "pod",
  "c",
  { args: ["echo", "after the proxy's death"] },
  { ...options, attach: true },
);
say(
  await text(again.process.io.stdout),
  await again.process.io.wait(),
  (await statusPod("pod", options)).proxyPid,
);
say(await statusContainer("pod", "c", options));
await stopContainer("pod", "c", options);
say(await waitContainer("pod", "c", options));
await stopPod("pod", options);
say("stopped", await statusContainer("pod", "c", options));
await startPod("pod", options);
say("started again", await statusContainer("pod", "c", options));
await deletePod("pod", options);
say("deleted");

import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";
import { deletePod, enterContainer, type PodConfig, statusPod } from "@husk/virtcontainers";
import { makeDoomedCall } from "./support/doomed-call.ts";
import { needsRoot } from "./support/needs-root.ts";
import { DEMO_ROOTFS } from "./support/places.ts";
import { runScript } from "./support/run-script.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const BYTES = 300_000;

describe("the owner of a Kata agent's port", needsRoot, () => {
  it("may be killed: what runs goes on, its end is heard, and the next one takes over", async ({
    signal,
  }) => {
    await using place = await Workplace.create(signal);
    const { options } = place;
    const container = (id: string, script: string) => ({
      id,
      rootFs: DEMO_ROOTFS,
      cmd: { args: ["sh", "-c", script] },
      mounts: [{ source: place.folder, destination: "/out", type: "bind" }],
    });
    // More than a pipe holds, and nobody reads it.
    const wait = "while [ ! -e /out/end ]; do sleep 0.1; done";
    const talker = container("talker", `yes | head -c ${BYTES}; touch /out/said; ${wait}; exit 3`);
    const keeper = container("keeper", "exec sleep 1000");
    const { hypervisorConfig } = place;
    const config: PodConfig = {
      id: "pod",
      agentType: "kata",
      hypervisorConfig,
      containers: [talker, keeper],
    };
    assert.equal(
      await makeDoomedCall(place, {
        calls: [
          ["runPod", config],
          ["statusPod", "pod"],
          ["pausePod", "pod"],
        ],
        dieAt: 0,
      }),
      "locked",
    );
    // A husk of its own has the port now, and clients go through it; then it is killed.
    const owner = place.start(["exec", "-i", "pod/keeper", "--", "cat"]);
    owner.child.stdin.write("owner\n");
    await owner.stdout.waitFor(/owner/);
    const client = await enterContainer("pod", "keeper", { args: ["cat"] }, { ...options, attach: true });
    client.process.io.stdin.write("client\n");
    assert.equal(String(await once(client.process.io.stdout, "data")), "client\n");
    await runScript(place, "pod", "keeper", "while [ ! -e /out/said ]; do sleep 0.1; done");
    const lost = assert.rejects(client.process.io.wait(), { code: "ERR_AGENT_DISCONNECTED" });
    owner.child.kill("SIGKILL");
    await lost;
    await writeFile(join(place.folder, "end"), "");
    await runScript(place, "pod", "keeper", "while ps -o args | grep -q '[/]out/said'; do sleep 0.1; done");
    const states = (await statusPod("pod", options)).containersStatus.map(({ id, state, exitCode }) => [
      id,
      state,
      exitCode,
    ]);
    assert.deepEqual(states, [
      ["talker", "stopped", 3],
      ["keeper", "running", undefined],
    ]);
    await deletePod("pod", options);
  });
});

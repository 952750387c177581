import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe } from "node:test";
import { type AgentType, deletePod, openVmCache, type PodConfig, runPod } from "@husk/virtcontainers";
import { DEMO_ROOTFS } from "./support/places.ts";
import { runScript } from "./support/run-script.ts";
import { TemplatePlace } from "./support/template-place.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

/** what a container that was there before could have left to be seen */
const LOOK = "hostname; ps -o pid= | head -n 1; ls /; grep -c husk /proc/mounts; true";
/** what tells one guest from another */
const IDENTITY = "cat /proc/sys/kernel/random/boot_id; head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \\n'";

function podOf(place: Workplace, id: string, agentType: AgentType, second: string): PodConfig {
  const cmd = { args: ["sleep", "1000000"] };
  return {
    id,
    agentType,
    hypervisorConfig: { ...place.hypervisorConfig, defaultBridges: 4 },
    containers: [
      { id, rootFs: DEMO_ROOTFS, cmd },
      { id: "second", rootFs: second, cmd },
    ],
  };
}

describe("a pod in a VM that has rehearsed", () => {
  for (const agentType of ["hyperstart", "kata"] as const) {
    it(`finds it as any other, with the agent ${agentType}`, async ({ signal }) => {
      await using place = await Workplace.create(signal);
      await using templates = await TemplatePlace.create();
      const image = join(place.folder, "second.img");
      execFileSync("mkfs.erofs", [image, DEMO_ROOTFS], { stdio: "ignore" });
      const config = (id: string) => podOf(place, id, agentType, image);
      await runPod(config("plain"), place.options);
      const seen: string[] = [];
      for (const factory of [templates.factory, {}]) {
        const { options } = place;
        await using vmCache = await openVmCache(
          config("any"),
          { ...factory, vmCacheTiers: { rehearsed: 1 } },
          options,
        );
        await vmCache.filled();
        assert.deepEqual(
          vmCache.status().vms.map(({ tier }) => tier),
          ["rehearsed"],
        );
        const id = `pod${seen.length}`;
        const warnings: string[] = [];
        const phases: string[] = [];
        await runPod(config(id), {
          ...options,
          factory,
          vmCache,
          onWarning: ({ message }) => void warnings.push(message),
          onPhase: ({ name }) => void phases.push(name),
        });
        assert.deepEqual(warnings, []);
        // The first disk is exchanged, the second is plugged in.
        assert.deepEqual(
          phases.filter((name) => name.startsWith("disk-")),
          ["disk-exchanged", "disk-plugged"],
        );
        for (const container of [id, "second"]) {
          const plain = await runScript(place, "plain", container === id ? "plain" : container, LOOK);
          assert.equal(await runScript(place, id, container, LOOK), plain.replace("plain", id));
        }
        seen.push(...(await runScript(place, id, id, IDENTITY)).trim().split("\n"));
        await deletePod(id, options);
      }
      assert.equal(new Set(seen).size, 4);
      await deletePod("plain", place.options);
    });
  }
});

import assert from "node:assert/strict";
import { describe } from "node:test";
import {
  type ContainerConfig,
  deletePod,
  type LinuxResources,
  runPod,
  stopContainer,
} from "@husk/virtcontainers";
import { DEMO_ROOTFS } from "./support/places.ts";
import { runScript } from "./support/run-script.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const MIB = 1 << 20;

/** What containers do that leave nothing to others, each until it is ended or cannot go on. */
const GREED = {
  /** forks without end */
  bomb: "bomb() { bomb | bomb & }; bomb; sleep 1000",
  /** fills its memory */
  hog: "x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done; sleep 1000",
  /** fills its output, which nobody reads */
  chatter: "yes; sleep 1000",
};

const LIMITS: LinuxResources = { pids: { limit: 50 }, memory: { limit: 32 * MIB, swap: 32 * MIB } };

function containerOf(name: string, script: string, resources?: LinuxResources): ContainerConfig {
  const cmd = { args: ["/bin/sh", "-c", script], envs: [{ var: "PATH", value: "/bin:/sbin" }] };
  return { id: name, rootFs: DEMO_ROOTFS, cmd, ...(resources && { resources }) };
}

describe("containers of the Kata agent that take all they can", () => {
  for (const resources of [LIMITS, undefined]) {
    it(`harm no other and not the agent, ${resources ? "with" : "without"} limits`, async ({ signal }) => {
      await using place = await Workplace.create(signal);
      const { options, hypervisorConfig } = place;
      const greedy = Object.entries(GREED).map(([name, script]) => containerOf(name, script, resources));
      const containers = [containerOf("other", "sleep 1000"), ...greedy];
      await runPod({ id: "greed", agentType: "kata", hypervisorConfig, containers }, options);
      for (let round = 0; round < 3; round++) {
        assert.equal(await runScript(place, "greed", "other", "sleep 1; (echo alive)"), "alive\n");
      }
      for (const name of Object.keys(GREED)) await stopContainer("greed", name, options);
      assert.equal(await runScript(place, "greed", "other", "echo still here"), "still here\n");
      await deletePod("greed", options);
    });
  }
});

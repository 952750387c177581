import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe } from "node:test";
import {
  createContainer,
  deletePod,
  destroyTemplates,
  type FactoryConfig,
  listTemplates,
  type PodConfig,
  runPod,
  startContainer,
  statusPod,
} from "@husk/virtcontainers";
import { IDENTITY } from "./support/identity.ts";
import { DEMO_ROOTFS } from "./support/places.ts";
import { podOf, REST, runWatched } from "./support/ready-made-vms.ts";
import { runScript } from "./support/run-script.ts";
import { TemplatePlace } from "./support/template-place.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const runCopy = (place: Workplace, config: PodConfig, factory: FactoryConfig) =>
  runWatched(place, config, { factory });

describe("a pod that begins as a copy of a template", () => {
  for (const agentType of ["hyperstart", "kata"] as const) {
    it(`is one of its own, with the agent ${agentType}`, async ({ signal }) => {
      await using place = await Workplace.create(signal);
      await using templates = await TemplatePlace.create();
      const pods = ["one", "two", "three"];
      const watched = [];
      for (const id of pods)
        watched.push(
          await runCopy(place, podOf(place, id, { agentType, networkModel: "user" }), templates.factory),
        );
      // The first makes the template, which the others find.
      assert.deepEqual(
        watched.map(({ phases }) => phases.includes("template-built")),
        [true, false, false],
      );
      assert.ok(
        watched.every(({ phases, warnings }) => phases.includes("template-loaded") && warnings.length === 0),
      );
      const identities = await Promise.all(pods.map((id) => runScript(place, id, id, IDENTITY)));
      const lines = identities.map((text) => text.trim().split("\n"));
      assert.deepEqual(
        lines.map(([name]) => name),
        pods,
      );
      for (const index of [1, 2, 3, 4])
        assert.equal(new Set(lines.map((line) => line[index])).size, pods.length);
      for (const id of pods) {
        const late = Date.now() / 1000 - Number(await runScript(place, id, id, "date +%s"));
        assert.ok(Math.abs(late) < 30, `the clock of ${id} is ${late} s late`);
      }
      // What is removed is not needed any more by those who began with it.
      assert.equal(await destroyTemplates(templates.factory, place.options), 1);
      assert.equal(await runScript(place, "two", "two", "echo still there"), "still there\n");
      for (const id of pods) await deletePod(id, place.options);
    });
  }

  it("has its own size, network and disks", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    await using templates = await TemplatePlace.create();
    const image = join(place.folder, "second.img");
    execFileSync("mkfs.erofs", [image, DEMO_ROOTFS], { stdio: "ignore" });
    const config = podOf(place, "large", {
      agentType: "kata",
      hypervisorConfig: { defaultMaxVCPUs: 3, memSlots: 2 },
      networkModel: "user",
      containers: [
        {
          id: "large",
          rootFs: DEMO_ROOTFS,
          cmd: REST,
          resources: { cpu: { quota: 200_000, period: 100_000 }, memory: { limit: 128 * 2 ** 20 } },
        },
        { id: "second", rootFs: image, cmd: REST },
      ],
    });
    const { warnings } = await runCopy(place, config, templates.factory);
    assert.deepEqual(warnings, []);
    const { vcpus, memory } = await statusPod("large", place.options);
    assert.deepEqual({ vcpus, memory }, { vcpus: 3, memory: 384 });
    assert.equal(await runScript(place, "large", "large", "nproc"), "3\n");
    assert.match(await runScript(place, "large", "large", "ip -4 address show eth0"), /inet 10\.0\.2\.15/);
    assert.match(await runScript(place, "large", "second", "ls /bin"), /busybox/);
    const [template] = await listTemplates(templates.factory, place.options);
    assert.deepEqual({ vcpus: template?.vcpus, memory: template?.memory }, { vcpus: 1, memory: 256 });
    await deletePod("large", place.options);
  });

  it("may be without containers, and get some later", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    await using templates = await TemplatePlace.create();
    const config = podOf(place, "bare", { containers: [] });
    await runPod(config, { ...place.options, factory: templates.factory });
    await createContainer(
      "bare",
      { id: "late", rootFs: DEMO_ROOTFS, cmd: { args: ["sleep", "60"] } },
      place.options,
    );
    await startContainer("bare", "late", place.options);
    assert.equal(await runScript(place, "bare", "late", "hostname"), "bare\n");
    await deletePod("bare", place.options);
  });

  it("boots, with a warning, where no copy can be had", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    await using templates = await TemplatePlace.create();
    const volumes = [{ mountTag: "tag", hostPath: place.folder }];
    const { phases, warnings } = await runCopy(
      place,
      podOf(place, "sharing", { volumes }),
      templates.factory,
    );
    assert.ok(!phases.includes("template-loaded"));
    assert.match(warnings.join(), /"sharing" boots, as it cannot be a copy: it shares directories/);
    await deletePod("sharing", place.options);
  });
});

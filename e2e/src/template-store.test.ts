import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe } from "node:test";
import {
  createTemplate,
  deletePod,
  destroyTemplates,
  type HypervisorConfig,
  listTemplates,
  runPod,
} from "@husk/virtcontainers";
import { untilNoExitCommands } from "./support/detached.ts";
import { makeDoomedCall } from "./support/doomed-call.ts";
import { findProcesses } from "./support/leaks.ts";
import { needsRoot } from "./support/needs-root.ts";
import { podOf, runWatched } from "./support/ready-made-vms.ts";
import { runScript } from "./support/run-script.ts";
import { TemplatePlace } from "./support/template-place.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

describe("templates", () => {
  it("are made anew when they are not whole, or made of other things", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    await using templates = await TemplatePlace.create();
    const { factory } = templates;
    const config = podOf(place, "pod");
    const { key } = await createTemplate(config, factory, place.options);
    const again: string[] = [];
    const onPhase = ({ name }: { name: string }) => void again.push(name);
    assert.equal((await createTemplate(config, factory, { ...place.options, onPhase })).key, key);
    assert.ok(!again.includes("template-built"));
    const spoil = [
      () => truncateSync(join(templates.path, key, "memory"), 4096),
      () => writeFileSync(join(templates.path, key, "state"), "not what it was"),
      () => writeFileSync(join(templates.path, key, "template.json"), '{"key":'),
    ];
    for (const spoilIt of spoil) {
      spoilIt();
      assert.deepEqual(await listTemplates(factory, place.options), []);
      const { phases } = await runWatched(place, config, { factory });
      assert.ok(phases.includes("template-built") && phases.includes("template-loaded"), phases.join());
      await deletePod("pod", place.options);
    }
    const other = await createTemplate({ ...config, vmConfig: { memory: 128 } }, factory, place.options);
    assert.notEqual(other.key, key);
    assert.deepEqual(
      (await listTemplates(factory, place.options)).map((one) => one.key),
      [other.key, key],
    );
  });

  it("are refused of VMs that cannot begin as copies", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    await using templates = await TemplatePlace.create();
    const refusals: [HypervisorConfig, RegExp][] = [
      [{ hypervisorMachineType: "microvm", defaultBridges: 0 }, /a microvm takes no devices/],
      [{ memPrealloc: true }, /its memory is to be there from the start/],
    ];
    for (const [hypervisorConfig, pattern] of refusals) {
      const config = podOf(place, "pod", { hypervisorConfig });
      const refused = createTemplate(config, templates.factory, place.options);
      await assert.rejects(refused, (error: Error) => pattern.test(error.message));
    }
  });

  it("are made once for many who want one at the same time", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    await using templates = await TemplatePlace.create();
    const ids = ["a", "b", "c", "d"];
    const watched = await Promise.all(
      ids.map((id) => runWatched(place, podOf(place, id), { factory: templates.factory })),
    );
    assert.equal(watched.filter(({ phases }) => phases.includes("template-built")).length, 1);
    const boots = await Promise.all(
      ids.map((id) => runScript(place, id, id, "cat /proc/sys/kernel/random/boot_id")),
    );
    assert.equal(new Set(boots).size, ids.length);
    for (const id of ids) await deletePod(id, place.options);
  });

  it("that are being made are left to their maker when all are removed", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    await using templates = await TemplatePlace.create();
    const { factory } = templates;
    const config = podOf(place, "pod");
    const small = { ...config, vmConfig: { memory: 128 } };
    await createTemplate(small, factory, place.options);
    const destroy = () => destroyTemplates(factory, place.options);
    const removed: Promise<number>[] = [];
    const onPhase = ({ name }: { name: string }) => {
      if (["qemu-spawned", "template-built"].includes(name)) removed.push(destroy());
    };
    const { key } = await createTemplate(config, factory, { ...place.options, onPhase });
    const numbers = await Promise.all(removed);
    // The last of these came when it was there, and may have found it.
    assert.deepEqual([numbers.length, numbers[0]], [2, 1]);
    if (numbers[1] === 0)
      assert.deepEqual(
        (await listTemplates(factory, place.options)).map((one) => one.key),
        [key],
      );
    assert.equal(await destroy(), 1 - (numbers[1] ?? 0));
    assert.ok(!existsSync(templates.path));
  });

  it("that are removed when a pod is about to begin with one let it boot, with a warning", async ({
    signal,
  }) => {
    await using place = await Workplace.create(signal);
    await using templates = await TemplatePlace.create();
    const { factory } = templates;
    const once = join(place.folder, "once");
    const hook = { path: "/bin/sh", args: ["sh", "-c", 'echo once >>"$1"', "sh", once], timeout: 60 };
    const warnings: string[] = [];
    for (const [id, moment] of [
      ["named", "network-joined"],
      ["plain", "template-found"],
    ] as const) {
      const hooks = id === "named" ? { preStartHooks: [hook] } : {};
      await runPod(podOf(place, id, { networkModel: "user", hooks }), {
        ...place.options,
        factory,
        onPhase: ({ name }) => {
          if (name === moment) rmSync(templates.path, { recursive: true, force: true });
        },
        onWarning: ({ message }) => void warnings.push(message),
      });
      assert.match(warnings.pop() ?? "", new RegExp(`"${id}" boots, as the template .* was removed`));
      assert.equal(await runScript(place, id, id, "hostname"), `${id}\n`);
      assert.match(await runScript(place, id, id, "ip -4 address show eth0"), /inet 10\.0\.2\.15/);
      await deletePod(id, place.options);
    }
    assert.deepEqual(warnings, []);
    assert.equal(readFileSync(once, "utf8"), "once\n");
  });

  it("of a maker that was killed leave nothing behind", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    await using templates = await TemplatePlace.create();
    const config = podOf(place, "pod");
    const calls = [["createTemplate", config, templates.factory]] as const;
    assert.equal(await makeDoomedCall(place, { calls, dieAt: 0 }), "qemu-spawned");
    const unfinished = () => readdirSync(templates.path).filter((name) => name.startsWith("."));
    assert.equal(unfinished().length, 1);
    assert.equal(findProcesses(templates.path).length, 1);
    await createTemplate(config, templates.factory, place.options);
    assert.deepEqual(unfinished(), []);
    assert.deepEqual(findProcesses(templates.path), []);
  });

  it("are seen, made and removed from the shell", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const made = await place.husk(["factory", "init", "--memory", "128"]);
    assert.match(
      made.stdout.toString(),
      /^TEMPLATE +AGENT +CPUS +MEMORY +AGE\n[0-9a-f]{12} +hyperstart +1 +128 MiB/,
    );
    const ran = await place.husk([
      "run",
      "--rm",
      "--memory",
      "128",
      "--factory",
      "template",
      "--",
      "cat",
      "/etc/hostname",
    ]);
    assert.equal(ran.status, 0, ran.stderr);
    const listed = JSON.parse((await place.husk(["factory", "status", "--json"])).stdout.toString());
    assert.deepEqual(
      listed.map(({ memory }: { memory: number }) => memory),
      [128],
    );
    const options = ["--rm", "--memory", "128", "--agent", "kata", "--factory", "template"];
    assert.equal(
      (await place.husk(["run", "-d", "--name", "far", ...options, "--", "sleep", "100"])).status,
      0,
    );
    const both = JSON.parse((await place.husk(["factory", "status", "--json"])).stdout.toString());
    assert.deepEqual(both.map(({ agent }: { agent: string }) => agent).sort(), ["hyperstart", "kata"]);
    assert.equal((await place.husk(["rm", "-f", "far"])).status, 0);
    await untilNoExitCommands(place);
    assert.equal((await place.husk(["factory", "destroy"])).stdout.toString(), "2 templates removed\n");
    assert.equal(readFileSync("/proc/self/mountinfo", "utf8").includes(place.folder), false);
  });
});

describe("a place for templates", needsRoot, () => {
  it("has room, and is on a tmpfs", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const small = join(place.folder, "small");
    mkdirSync(small);
    const refused = (templatePath: string, pattern: RegExp) =>
      assert.rejects(createTemplate(podOf(place, "pod"), { templatePath }, place.options), pattern);
    await refused(small, /is on no tmpfs/);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64m", "tmpfs", small]);
    try {
      await refused(join(small, "templates"), /63 MiB free, and a template of this VM takes 264/);
    } finally {
      execFileSync("umount", [small]);
    }
  });
});

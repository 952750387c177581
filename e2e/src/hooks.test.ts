import assert from "node:assert/strict";
import { readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe } from "node:test";
import { pathToFileURL } from "node:url";
import {
  deletePod,
  type Hook,
  type PodConfig,
  runPod,
  startPod,
  statusPod,
  stopPod,
} from "@husk/virtcontainers";
import { DEMO_ROOTFS } from "./support/places.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const LIBRARY = pathToFileURL(join(import.meta.dirname, "../../packages/virtcontainers/src/index.ts")).href;

/** What a hook has seen. */
interface Sight {
  state: { id: string; status: string; pid: number; bundle: string };
  /** network namespace of the process that the state names */
  netns: string;
}

/** A hook that writes down what it sees; it fails when the process that the state names does not live. */
function watchHook(place: Workplace, name: string): Hook {
  const code = `
    const fs = require("node:fs");
    const state = JSON.parse(fs.readFileSync(0, "utf8"));
    const netns = fs.readlinkSync("/proc/" + state.pid + "/ns/net");
    fs.writeFileSync(process.argv[1], JSON.stringify({ state, netns }));`;
  return { path: process.execPath, args: ["hook", "-e", code, seen(place, name)], timeout: 60 };
}

const seen = (place: Workplace, name: string) => join(place.folder, `${name}.json`);
const readSight = (place: Workplace, name: string): Sight =>
  JSON.parse(readFileSync(seen(place, name), "utf8"));

function hookedPod(place: Workplace): PodConfig {
  return {
    id: "hooked",
    hypervisorConfig: place.hypervisorConfig,
    annotations: { "com.github.containers.virtcontainers.pkg.oci.bundle_path": "/the/bundle" },
    hooks: {
      preStartHooks: [watchHook(place, "pre")],
      postStartHooks: [watchHook(place, "up")],
      postStopHooks: [watchHook(place, "down")],
    },
    containers: [{ id: "only", rootFs: DEMO_ROOTFS, cmd: { args: ["sleep", "1000"] } }],
  };
}

describe("hooks of a pod", () => {
  it("are told a process of the pod's network namespace, wherever husk is called", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { options } = place;
    const config = join(place.folder, "config.json");
    writeFileSync(config, JSON.stringify({ config: hookedPod(place), options }));
    const code = `
      const { runPod } = await import(${JSON.stringify(LIBRARY)});
      const { readFileSync, readlinkSync } = await import("node:fs");
      const { config, options } = JSON.parse(readFileSync(${JSON.stringify(config)}, "utf8"));
      await runPod(config, options);
      console.log(readlinkSync("/proc/self/ns/net"));`;
    // The pod is made in a network namespace of its own, and stopped from another.
    const args = ["--net", process.execPath, "--input-type=module", "-e", code];
    const { status, stdout, stderr } = await place.startProgram("unshare", args).ended;
    assert.equal(status, 0, stderr);
    const netns = stdout.toString().trim();
    assert.notEqual(netns, readlinkSync("/proc/self/ns/net"));
    const { hypervisorPid } = await statusPod("hooked", options);
    const warnings: Error[] = [];
    await stopPod("hooked", { ...options, onWarning: (warning) => warnings.push(warning) });
    assert.deepEqual(warnings, []);
    for (const [name, told] of Object.entries({ pre: "creating", up: "running", down: "stopped" })) {
      const sight = readSight(place, name);
      assert.equal(sight.netns, netns, name);
      assert.deepEqual([sight.state.id, sight.state.status], ["hooked", told]);
      assert.equal(sight.state.bundle, "/the/bundle");
    }
    assert.equal(readSight(place, "up").state.pid, hypervisorPid);
    await startPod("hooked", options);
    assert.equal(readSight(place, "pre").state.pid, process.pid);
    await deletePod("hooked", options);
    assert.equal(readSight(place, "down").netns, readlinkSync("/proc/self/ns/net"));
  });

  it("leave nothing of a pod that a PreStart hook refuses", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const config = hookedPod(place);
    const sleeper = { path: "/bin/sh", args: ["sh", "-c", "sleep 1000 & wait", place.root], timeout: 1 };
    const hooks = { ...config.hooks, preStartHooks: [watchHook(place, "pre"), sleeper] };
    await assert.rejects(runPod({ ...config, hooks }, place.options), { code: "ERR_HOOK_TIMEOUT" });
    assert.equal(readSight(place, "down").state.status, "stopped");
  });

  it("run for the end of a VM that was killed, when the pod is deleted", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    await runPod(hookedPod(place), place.options);
    const { hypervisorPid } = await statusPod("hooked", place.options);
    process.kill(hypervisorPid ?? 0, "SIGKILL");
    await deletePod("hooked", place.options);
    assert.equal(readSight(place, "down").state.pid, process.pid);
  });
});

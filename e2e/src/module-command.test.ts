import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { connectContainerModule } from "@husk/container-module";
import { BACKENDS, ModulePlace } from "./support/module/module-place.ts";
import { killWorker, untilDead, untilFile, untilSays, untilWritten } from "./support/module/until.ts";
import { DEMO_ROOTFS, HUSK } from "./support/places.ts";
import { startInTerminal } from "./support/terminal.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const backend = BACKENDS.runc;

describe("husk module", { skip: backend.missing }, () => {
  it("does by itself what there is no service for", async ({ signal }) => {
    await using place = new ModulePlace(backend, signal);
    const husk = (...args: string[]) => runHusk([...args, ...openFlags(place)]);
    const { ns } = place;
    const mount = "/usr/share/doc:/doc:bind:rbind,ro";
    const options = ["--tag", "a", "-e", "A=1", "--mount", mount, "--restarts", "0", "-w", "/tmp"];
    const line = "sh -c 'echo $A; pwd; exec sleep 1000'";
    const run = await husk("run", ns, "web", DEMO_ROOTFS, ...options, "--entrypoint", line);
    assert.deepEqual(run, { status: 0, out: "web\n", err: "" });
    const again = await husk("run", ns, "web", DEMO_ROOTFS, "--entrypoint", "true");
    assert.equal(again.status, 125);
    assert.match(again.err, /ERR_CONTAINER_EXISTS\]\nhint: /);
    assert.match((await husk("list")).out, new RegExp(`NAMESPACE +NAME.*\n${ns} +web +running +0 +\\d+ `));
    assert.equal((await husk("list", ns, "-q")).out, `${ns}/web\n`);
    assert.deepEqual(JSON.parse((await husk("list", "other", "--json")).out), []);
    const info = JSON.parse((await husk("inspect", "--json", ns, "web")).out);
    assert.deepEqual([info.tags, info.ours.state], [["a"], "running"]);
    assert.match((await husk("inspect", ns, "web")).out, /^Mount: +\/usr\/share\/doc:\/doc:bind:rbind,ro$/m);
    const module = await place.open();
    await untilWritten(module, ns, "web", "/tmp\n");
    assert.equal((await husk("logs", ns, "web")).out, "1\n/tmp\n");
    assert.equal((await husk("logs", "-n", "1", ns, "web")).out, "/tmp\n");
    assert.deepEqual(await husk("rm", "--log", "--grace", "1", ns, "web"), {
      status: 0,
      out: "web\n",
      err: "",
    });
    assert.ok(!existsSync(join(place.folder, "log", ns, "web.log")));
    const gone = await husk("rm", ns, "web");
    assert.equal(gone.status, 125);
    assert.match(gone.err, /ERR_CONTAINER_NOT_FOUND/);
    assert.equal((await husk("rm", "-f", ns, "web")).status, 0);
  });

  it("runs programs with their streams and exit statuses", async ({ signal }) => {
    await using place = new ModulePlace(backend, signal);
    const flags = openFlags(place);
    const { ns } = place;
    await runHusk(["run", ...flags, ns, "web", DEMO_ROOTFS, "--", "sleep", "1000"]);
    const exec = (input: string, ...args: string[]) => runHusk(["exec", ...flags, ...args], input);
    const script = 'cat; echo "$A" >&2; exit 7';
    const passed = await exec("hello\n", "-i", "-e", "A=1", ns, "web", "--", "sh", "-c", script);
    assert.deepEqual(passed, { status: 7, out: "hello\n", err: "1\n" });
    assert.equal((await exec("", ns, "web", "--", "sh", "-c", "kill -9 $$")).status, 137);
    assert.equal((await exec("", "--timeout", "1", ns, "web", "--", "sleep", "1000")).status, 125);
    assert.equal((await exec("", ns, "web")).status, 125);
    await runHusk(["rm", ...flags, "--grace", "1", ns, "web"]);
  });

  it("gives programs a terminal, with a service and without one", async ({ signal }) => {
    await using place = new ModulePlace(backend, signal);
    await using workplace = await Workplace.create(signal);
    const { ns } = place;
    const flags = openFlags(place);
    await runHusk(["run", ...flags, ns, "web", DEMO_ROOTFS, "--", "sleep", "1000"]);
    const service = startHusk(["serve", ...flags]);
    await untilSays(service, "served on");
    const socket = ["--socket", join(place.folder, "run/module.sock")];
    const mode = "stty -g | md5sum";
    for (const words of [flags, socket]) {
      const exec = `$HUSK_COMMAND module exec ${words.join(" ")} -it ${ns} web -- sh`;
      const { child, stdout, ended } = startInTerminal(
        workplace,
        `tty; ${mode}; stty rows 40 cols 100; ${exec}; echo status $?; ${mode}`,
      );
      const [terminal] = await stdout.waitFor(/\/dev\/pts\/\d+/);
      // The shell drops what is typed too early.
      await stdout.waitFor(/\/ # /);
      child.stdin.write("tty; stty size; echo it is a $TERM\n");
      await stdout.waitFor(/\/dev\/pts\/0\s+40 100\s+it is a [a-z]/);
      execFileSync("stty", ["-F", terminal, "rows", "50", "cols", "120"]);
      child.stdin.write("until stty size | grep '50 120'; do :; done; cat\n");
      await stdout.waitFor(/\n50 120/);
      child.stdin.write("ping\n");
      await stdout.waitFor(/ping[\s\S]*ping/);
      child.stdin.write("\u0003");
      await stdout.waitFor(/\^C[\s\S]*\/ # /);
      child.stdin.write("exit 5\n");
      await ended;
      assert.match(stdout.text(), /status 5/);
      const sums = [...stdout.text().matchAll(/^([0-9a-f]{32})/gm)].map(([, sum]) => sum);
      assert.deepEqual([sums.length, new Set(sums).size], [2, 1], stdout.text());
    }
    const without = await runHusk(["exec", ...flags, "-t", ns, "web", "--", "true"]);
    assert.match(without.err, /-t needs a terminal/);
    await killWorker(service, "SIGTERM");
    await runHusk(["rm", ...flags, "--grace", "1", ns, "web"]);
  });

  it("asks the service, which may be killed and started again while containers run", async ({ signal }) => {
    await using place = new ModulePlace(backend, signal);
    const { ns } = place;
    const socket = join(place.folder, "run/module.sock");
    const husk = (command: string, ...args: string[]) => runHusk([command, "--socket", socket, ...args]);
    await using services = new AsyncDisposableStack();
    const serve = async () => {
      const service = startHusk(["serve", ...openFlags(place)]);
      services.defer(() => killWorker(service));
      await untilSays(service, "is served on");
      return service;
    };
    const first = await serve();
    assert.equal(statSync(socket).mode & 0o777, 0o600);
    const second = await runHusk(["serve", ...openFlags(place)]);
    assert.equal(second.status, 125);
    assert.match(second.err, /ERR_MODULE_SERVED/);
    const script = "i=0; while :; do echo line $i; i=$((i+1)); sleep 0.1; done";
    const [one, two] = await Promise.all([
      husk("run", ns, "one", DEMO_ROOTFS, "--", "sh", "-c", script),
      husk("run", ns, "two", DEMO_ROOTFS, "--", "sleep", "1000"),
    ]);
    assert.deepEqual(
      [one, two].map(({ status, err }) => [status, err]),
      [
        [0, ""],
        [0, ""],
      ],
    );
    const before = JSON.parse((await husk("list", "--json")).out);

    const follower = startHusk(["logs", "-f", "--socket", socket, ns, "one"]);
    await untilSays(follower, "line 1\n");
    const ended = once(follower, "exit");
    await killWorker(first);
    assert.equal((await ended)[0], 125);
    assert.match((await husk("list")).err, /ERR_MODULE_UNREACHABLE\]\nhint: /);

    const next = await serve();
    // A service looks after shims without being asked, unless they die as soon as they begin.
    await delay(1200);
    const shim = place.shimPid("two");
    process.kill(shim, "SIGKILL");
    await untilFile(place.file("two", "state.json"), () => place.shimPid("two") !== shim);
    assert.deepEqual(JSON.parse((await husk("list", "--json")).out), before);
    const module = await connectContainerModule(socket);
    await untilWritten(module, ns, "one", "line 3\n");
    assert.equal((await husk("exec", ns, "one", "--", "true")).status, 0);
    await killWorker(next, "SIGTERM");
    assert.equal(next.exitCode, 0);
    assert.ok(!existsSync(socket));
    const pids = before.map(({ ours }: { ours: { pid: number } }) => ours.pid);
    assert.ok(pids.every((pid: number) => existsSync(`/proc/${pid}`)));

    await serve();
    assert.equal((await husk("rm", "--grace", "1", ns, "one", "two")).out, "one\ntwo\n");
    for (const pid of pids) await untilDead(pid);
  });

  it("tells a wrong command line before it does anything", async () => {
    const wrong: [args: string[], why: RegExp][] = [
      [["run", "a", "b"], /missing required argument 'source'/],
      [["run", "a", "b", "c", "--mount", "x", "--", "sh"], /not a mount: x/],
      [["run", "a", "b", "c", "--entrypoint", "x", "--", "sh"], /told twice/],
      [["list", "--socket", "/x", "--log-root", "/y"], /--log-root is for who opens the module/],
      [["list", "--backend", "docker"], /Allowed choices are vm, oci/],
      [["list", "--socket", "/tmp/none.sock"], /ERR_MODULE_UNREACHABLE/],
      [["lst"], /unknown command 'lst'/],
    ];
    for (const [args, why] of wrong) {
      const { status, err } = await runHusk(args);
      assert.notEqual(status, 0);
      assert.match(err, why);
    }
  });
});

/** Options with which a command opens the module of a place. */
function openFlags({ options }: ModulePlace): string[] {
  const { stateRoot = "", runRoot = "", logRoot = "", backend = "", runtime = "" } = options;
  const roots = ["--state-root", stateRoot, "--run-root", runRoot, "--log-root", logRoot];
  return [...roots, "--backend", backend, "--runtime", runtime];
}

function startHusk(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [HUSK, "module", ...args], { stdio: ["pipe", "pipe", "pipe"] });
}

/** Runs `husk module …` to its end. */
async function runHusk(args: readonly string[], input = "") {
  const child = spawn(process.execPath, [HUSK, "module", ...args]);
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const [out, err, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  return { status: status as number, out, err };
}

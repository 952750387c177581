import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { describe } from "node:test";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

const RUN = ["run", "--rm"];

describe("husk run", () => {
  it("passes the command's output and nothing else", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { status, stdout, stderr } = await place.husk([...RUN, "--", "echo", "hello", "a  b", "$HOME", ""]);
    assert.deepEqual([status, stdout.toString(), stderr], [0, "hello a  b $HOME \n", ""]);
  });

  it("keeps stderr apart from stdout", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { stdout, stderr } = await place.husk([...RUN, "--", "sh", "-c", "echo out; echo err >&2"]);
    assert.deepEqual([stdout.toString(), stderr], ["out\n", "err\n"]);
  });

  for (const code of [0, 1, 7, 126, 127, 255]) {
    it(`passes exit status ${code}`, async ({ signal }) => {
      await using place = await Workplace.create(signal);
      const { status, stderr } = await place.husk([...RUN, "--", "sh", "-c", `exit ${code}`]);
      assert.deepEqual([status, stderr], [code, ""]);
    });
  }

  it("gives 128+signal when a signal ended the command", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { status } = await place.husk([...RUN, "--", "sh", "-c", "kill -SEGV $$"]);
    assert.equal(status, 139);
  });

  it("passes 1 MiB of stdin through, unchanged", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const input = randomBytes(2 ** 20);
    const { status, stdout } = await place.husk([...RUN, "-i", "--", "cat"], { input });
    assert.equal(status, 0);
    assert.equal(stdout.length, input.length);
    assert.equal(digest(stdout), digest(input));
  });

  it("counts all of stdin", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { stdout } = await place.husk([...RUN, "-i", "--", "wc", "-c"], {
      input: Buffer.alloc(3_333_333, "x"),
    });
    assert.equal(stdout.toString().trim(), "3333333");
  });

  it("gives the command an empty stdin without -i", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { status, stdout } = await place.husk([...RUN, "--", "wc", "-c"], { input: "not for the command" });
    assert.deepEqual([status, stdout.toString().trim()], [0, "0"]);
  });

  it("ends although its stdin stays open and nobody reads it", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const running = place.start([...RUN, "-i", "--", "true"]);
    const { status } = await running.ended;
    assert.equal(status, 0);
  });

  it("passes 64 MiB of stdout, unchanged and in order", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const script =
      "seq 1 200000 | head -c 1048576 > /tmp/block; for i in $(seq 64); do echo $i; cat /tmp/block; done";
    const { status, stdout } = await place.husk([...RUN, "--", "sh", "-c", script]);
    const numbers = Array.from({ length: 200_000 }, (_, index) => `${index + 1}\n`).join("");
    const block = Buffer.from(numbers).subarray(0, 2 ** 20);
    const parts = Array.from({ length: 64 }, (_, index) => [Buffer.from(`${index + 1}\n`), block]).flat();
    assert.equal(status, 0);
    assert.equal(digest(stdout), digest(Buffer.concat(parts)));
  });

  it("sets environment variables", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const args = [...RUN, "-e", "A=1 2", "-e", "B", "-e", "UNSET_ONE", "--", "env"];
    const { stdout } = await place.huskWith({ B: "from husk" }, args);
    const lines = stdout.toString().split("\n");
    assert.ok(lines.includes("A=1 2"));
    assert.ok(lines.includes("B=from husk"));
    assert.ok(lines.some((line) => line.startsWith("PATH=/usr/local/sbin:")));
    assert.ok(!lines.some((line) => line.startsWith("UNSET_ONE")));
    assert.ok(!lines.some((line) => line.startsWith("HUSK_")), "husk's own environment stays outside");
  });

  it("starts in the working directory, and makes it if need be", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { stdout } = await place.husk([...RUN, "-w", "/tmp", "--", "pwd"]);
    assert.equal(stdout.toString(), "/tmp\n");
    const made = await place.husk([...RUN, "-w", "/made/for/this", "--", "pwd"]);
    assert.equal(made.stdout.toString(), "/made/for/this\n");
  });

  it("runs as another user, by name", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { stdout } = await place.husk([...RUN, "-u", "nobody", "--", "sh", "-c", "id -u; id -un"]);
    assert.equal(stdout.toString(), "65534\nnobody\n");
  });

  it("runs as another user and group, by number", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { stdout } = await place.husk([...RUN, "-u", "1234:5678", "--", "sh", "-c", "id -u; id -g; id -G"]);
    assert.equal(stdout.toString(), "1234\n5678\n5678\n");
  });

  it("names the host after the pod, or as it is told", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const named = await place.husk([...RUN, "--name", "first", "--", "hostname"]);
    assert.equal(named.stdout.toString(), "first\n");
    const told = await place.husk([...RUN, "--hostname", "other", "--", "hostname"]);
    assert.equal(told.stdout.toString(), "other\n");
  });

  it("gives the VM the memory and the CPUs asked for", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const args = ["--memory", "128", "--cpus", "2", "--", "sh", "-c", "nproc; grep MemTotal /proc/meminfo"];
    const { stdout } = await place.husk([...RUN, ...args]);
    const [cpus, memory] = stdout.toString().split("\n");
    assert.equal(cpus, "2");
    const kilobytes = Number(memory?.match(/\d+/)?.[0]);
    assert.ok(kilobytes > 60 * 1024 && kilobytes < 128 * 1024, memory);
  });

  it("boots the other machines", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    for (const machine of ["microvm", "pc"]) {
      const { status, stdout, stderr } = await place.husk([
        ...RUN,
        "--machine",
        machine,
        "--",
        "echo",
        machine,
      ]);
      assert.deepEqual([status, stdout.toString(), stderr], [0, `${machine}\n`, ""]);
    }
  });

  it("tells where the time went", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { stdout, stderr } = await place.husk([...RUN, "--timings=json", "--", "echo", "hi"]);
    assert.equal(stdout.toString(), "hi\n");
    const { phases, total } = JSON.parse(stderr);
    const names = phases.map(({ name }: { name: string }) => name);
    assert.equal(names[0], "husk-loaded");
    assert.ok(names.includes("agent-ready"), names.join());
    assert.ok(names.includes("command-ended"), names.join());
    assert.equal(phases.at(-1).at, total);
    const table = await place.husk([...RUN, "--timings", "true"]);
    assert.match(table.stderr, /^PHASE +AT MS +TOOK MS\nhusk-loaded /);
  });

  it("ends quietly when nobody reads its output any more", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const running = place.start([...RUN, "--", "yes"]);
    await running.stdout.waitFor(/y\n/);
    running.child.stdout.destroy();
    const { status, stderr } = await running.ended;
    assert.deepEqual([status, stderr], [141, ""]);
  });

  it("reaps orphans and zombies of a container", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    // The orphan's parent ends before it; the loop ends only when no process is left as a zombie.
    const script =
      "sh -c 'sleep 0.1 & sleep 0.1 & exit 0'; while ps -o stat,comm | grep -q -e '^Z' -e 'sleep'; do :; done; echo clean";
    const { status, stdout } = await place.husk([...RUN, "--", "sh", "-c", script]);
    assert.deepEqual([status, stdout.toString()], [0, "clean\n"]);
  });
});

function digest(data: Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}

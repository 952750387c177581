import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, describe } from "node:test";
import { it, LIMIT } from "./support/vm-test.ts";
import { type RunningHusk, Workplace } from "./support/workplace.ts";

describe("husk exec", () => {
  let place: Workplace;
  let foreground: RunningHusk;

  before(async () => {
    place = await Workplace.create(AbortSignal.timeout(2 * LIMIT.timeout));
    foreground = place.start(["run", "--rm", "--name", "web", "-i", "--", "sh", "-c", "echo up; cat"]);
    await foreground.stdout.waitFor(/up/);
  }, LIMIT);

  after(async () => {
    foreground.child.stdin.end("the end\n");
    const { status, stdout, stderr } = await foreground.ended;
    assert.deepEqual(
      [status, stdout.toString(), stderr],
      [0, "up\nthe end\n", ""],
      "the foreground is undisturbed",
    );
    await place[Symbol.asyncDispose]();
  }, LIMIT);

  it("runs a command in the container of a pod that another husk runs", async () => {
    const { status, stdout, stderr } = await place.husk([
      "exec",
      "web",
      "--",
      "sh",
      "-c",
      "hostname; echo err >&2",
    ]);
    assert.deepEqual([status, stdout.toString(), stderr], [0, "web\n", "err\n"]);
  });

  for (const code of [0, 7, 255]) {
    it(`passes exit status ${code}`, async () => {
      assert.equal((await place.husk(["exec", "web", "--", "sh", "-c", `exit ${code}`])).status, code);
    });
  }

  it("gives 128+signal when a signal ended the command", async () => {
    assert.equal((await place.husk(["exec", "web", "--", "sh", "-c", "kill -9 $$"])).status, 137);
  });

  it("gives 127 and the reason when there is no such command", async () => {
    const { status, stderr } = await place.husk(["exec", "web", "--", "no-such-command"]);
    assert.equal(status, 127);
    assert.match(stderr, /no-such-command/);
  });

  it("gives 126 and the reason when the command cannot be executed", async () => {
    const { status, stderr } = await place.husk(["exec", "web", "--", "/etc/passwd"]);
    assert.equal(status, 126);
    assert.match(stderr, /\/etc\/passwd/);
  });

  it("sees the container's processes and files", async () => {
    await place.husk(["exec", "web", "--", "sh", "-c", "echo shared > /tmp/file"]);
    const { stdout } = await place.husk(["exec", "web", "--", "sh", "-c", "cat /tmp/file; ps -o args"]);
    assert.match(stdout.toString(), /^shared\n[\s\S]*\n(sh -c echo up; )?cat\n/);
  });

  it("takes environment, working directory and user", async () => {
    const args = [
      "exec",
      "-e",
      "A=1",
      "-w",
      "/tmp",
      "-u",
      "nobody",
      "web",
      "--",
      "sh",
      "-c",
      "echo $A; pwd; id -un",
    ];
    assert.equal((await place.husk(args)).stdout.toString(), "1\n/tmp\nnobody\n");
  });

  it("passes 1 MiB of stdin through, unchanged", async () => {
    const input = randomBytes(2 ** 20);
    const { stdout } = await place.husk(["exec", "-i", "web", "--", "cat"], { input });
    assert.equal(digest(stdout), digest(input));
  });

  it("passes signals to its command", async () => {
    const script = "trap 'exit 9' TERM; echo ready; while :; do sleep 0.1; done";
    const { child, stdout, ended } = place.start(["exec", "web", "--", "sh", "-c", script]);
    await stdout.waitFor(/ready/);
    child.kill("SIGTERM");
    assert.equal((await ended).status, 9);
  });

  it("runs 20 commands side by side, each with its own streams", async () => {
    const numbers = Array.from({ length: 20 }, (_, index) => index);
    const results = await Promise.all(
      numbers.map((number) => {
        const args = ["exec", "-i", "web", "--", "sh", "-c", `cat; echo err ${number} >&2; exit ${number}`];
        return place.husk(args, { input: `in ${number}\n` });
      }),
    );
    for (const [number, { status, stdout, stderr }] of results.entries()) {
      assert.deepEqual([status, stdout.toString(), stderr], [number, `in ${number}\n`, `err ${number}\n`]);
    }
  });

  it("goes on when a reader that held the pod's output up goes away", async () => {
    // All processes of a pod share one stream channel, so one that nobody reads may hold the others up.
    const stuck = place.start(["exec", "web", "--", "yes"]);
    await stuck.stdout.waitFor(/y\n/);
    stuck.child.stdout.pause();
    const other = place.husk(["exec", "web", "--", "echo", "hi"]);
    stuck.child.stdout.destroy();
    assert.equal((await stuck.ended).status, 141);
    const { status, stdout } = await other;
    assert.deepEqual([status, stdout.toString()], [0, "hi\n"]);
  });

  it("fails when there is no such pod", async () => {
    const { status, stderr } = await place.husk(["exec", "nobody-there", "--", "true"]);
    assert.equal(status, 125);
    assert.match(stderr, /\[ERR_POD_NOT_FOUND\]\nhint: /);
  });

  it("fails when the pod has no such container", async () => {
    const { status, stderr } = await place.husk(["exec", "web/other", "--", "true"]);
    assert.equal(status, 125);
    assert.match(stderr, /\[ERR_CONTAINER_NOT_FOUND\]/);
  });

  it("refuses options behind the name", async () => {
    const { status, stderr } = await place.husk(["exec", "web", "-it", "--", "sh"]);
    assert.equal(status, 125);
    assert.match(stderr, /option behind the name: -it \[ERR_USAGE\]/);
  });
});

function digest(data: Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}

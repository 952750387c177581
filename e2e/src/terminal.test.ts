import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, it } from "node:test";
import { VM_TEST } from "./support/limits.ts";
import { startInTerminal } from "./support/terminal.ts";
import { Workplace } from "./support/workplace.ts";

describe("husk run -t", VM_TEST, () => {
  it("gives the command a terminal of the size of husk's own, and follows its changes", async () => {
    await using place = await Workplace.create();
    const script = "tty; stty rows 40 cols 100; exec $HUSK_COMMAND run --rm -it -- sh";
    const { child, stdout, ended } = startInTerminal(place, script);
    const [terminal] = await stdout.waitFor(/\/dev\/pts\/\d+/);
    child.stdin.write("tty && echo it is a $TERM\n");
    await stdout.waitFor(/it is a [a-z]/);
    // The first size reaches the terminal just after the shell has started, so it is asked for until it is there.
    child.stdin.write("until stty size | grep '40 100'; do :; done\n");
    await stdout.waitFor(/\n40 100/);
    child.stdin.write(
      "trap 'echo changed to $(stty size)' WINCH; echo trapped; while :; do sleep 0.1; done\n",
    );
    await stdout.waitFor(/\ntrapped/);
    execFileSync("stty", ["-F", terminal, "rows", "50", "cols", "120"]);
    await stdout.waitFor(/changed to 50 120/);
    child.stdin.write("\u0003");
    child.stdin.write("exit 5\n");
    assert.equal((await ended).status, 5);
  });

  it("passes Ctrl-C to the command as a key, and Ctrl-D as the end of input", async () => {
    await using place = await Workplace.create();
    const { child, stdout, ended } = startInTerminal(place, "exec $HUSK_COMMAND run --rm -it -- sh");
    child.stdin.write("echo wait''ing; cat\n");
    await stdout.waitFor(/\nwaiting/);
    child.stdin.write("\u0003");
    child.stdin.write("echo status $?\n");
    await stdout.waitFor(/status 130/);
    child.stdin.write("\u0004");
    assert.equal((await ended).status, 130, "a shell ends with the status of its last command");
  });

  it("gives the terminal back as it was, also when husk fails", async () => {
    await using place = await Workplace.create();
    const script =
      "stty -a | md5sum; $HUSK_COMMAND run --rm -it -- sh -c 'exit 3'; echo status $?; stty -a | md5sum; " +
      "$HUSK_COMMAND run --rm -it -- sh -c 'kill -9 $PPID; kill -9 $$'; stty -a | md5sum; echo done";
    const { stdout, ended } = startInTerminal(place, script);
    await ended;
    assert.match(stdout.text(), /status 3/);
    const sums = [...stdout.text().matchAll(/^([0-9a-f]{32})/gm)].map(([, sum]) => sum);
    assert.equal(sums.length, 3, stdout.text());
    assert.equal(new Set(sums).size, 1);
  });

  it("gives the terminal back when the VM dies", async () => {
    await using place = await Workplace.create();
    const script =
      "stty -a | md5sum; $HUSK_COMMAND run --rm --name v -it -- sh; echo status $?; stty -a | md5sum";
    const { child, stdout, ended } = startInTerminal(place, script);
    child.stdin.write("echo wait''ing\n");
    await stdout.waitFor(/\nwaiting/);
    const { stdout: list } = await place.husk(["ps", "--json"]);
    const [{ hypervisorPid }] = JSON.parse(list.toString());
    process.kill(hypervisorPid, "SIGKILL");
    await ended;
    assert.match(stdout.text(), /ERR_VM_LOST/);
    assert.match(stdout.text(), /status 125/);
    const sums = [...stdout.text().matchAll(/^([0-9a-f]{32})/gm)].map(([, sum]) => sum);
    assert.equal(sums.length, 2, stdout.text());
    assert.equal(sums[0], sums[1]);
  });

  it("is refused when stdin is no terminal", async () => {
    await using place = await Workplace.create();
    const { status, stderr } = await place.husk(["run", "--rm", "-it", "--", "sh"]);
    assert.equal(status, 125);
    assert.match(stderr, /^husk: -t needs a terminal, .* \[ERR_USAGE\]\nhint: /);
  });
});

describe("husk exec -t", VM_TEST, () => {
  it("gives its command a terminal, too", async () => {
    await using place = await Workplace.create();
    const foreground = place.start(["run", "--rm", "--name", "t", "-i", "--", "sh", "-c", "echo up; cat"]);
    await foreground.stdout.waitFor(/up/);
    const { child, stdout, ended } = startInTerminal(place, "exec $HUSK_COMMAND exec -it t -- sh");
    child.stdin.write("tty; exit 6\n");
    assert.equal((await ended).status, 6);
    assert.match(stdout.text(), /\/dev\/pts\/\d/);
    foreground.child.stdin.end();
    assert.equal((await foreground.ended).status, 0);
  });
});

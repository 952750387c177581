import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe } from "node:test";
import { startInTerminal } from "./support/terminal.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

describe("husk run -t", () => {
  it("gives the command a terminal of the size of husk's own, and follows its changes", async ({
    signal,
  }) => {
    await using place = await Workplace.create(signal);
    const script = "tty; stty rows 40 cols 100; exec $HUSK_COMMAND run --rm -it -- sh";
    const { child, stdout, ended } = startInTerminal(place, script);
    const [, terminal = ""] = await stdout.waitFor(/(\/dev\/pts\/\d+)\r?\n/);
    child.stdin.write("tty && echo it is a $TERM\n");
    await stdout.waitFor(/it is a [a-z]/);
    // A size reaches the guest a moment after it is set, so it is asked for until it is there.
    child.stdin.write("until stty size | grep '40 100'; do :; done\n");
    await stdout.waitFor(/\n40 100/);
    execFileSync("stty", ["-F", terminal, "rows", "50", "cols", "120"]);
    child.stdin.write("until stty size | grep '50 120'; do :; done\n");
    await stdout.waitFor(/\n50 120/);
    child.stdin.write("exit 5\n");
    assert.equal((await ended).status, 5);
  });

  it("passes Ctrl-C to the command as a key, and Ctrl-D as the end of input", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { child, stdout, ended } = startInTerminal(place, "exec $HUSK_COMMAND run --rm -it -- sh");
    // The shell eats or drops what is typed too early, so each key waits until its reader has its turn.
    child.stdin.write("echo wait''ing; cat\n");
    await stdout.waitFor(/\nwaiting/);
    child.stdin.write("ping\n");
    await stdout.waitFor(/ping[\s\S]*ping/);
    child.stdin.write("\u0003");
    await stdout.waitFor(/\^C[\s\S]*\/ # /);
    child.stdin.write("echo status $?\n");
    await stdout.waitFor(/status 130[\s\S]*\/ # /);
    child.stdin.write("\u0004");
    assert.equal((await ended).status, 0);
  });

  it("leaves the processing of output to the guest's terminal", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const script = "exec $HUSK_COMMAND run --rm -it -- sh -c 'stty -onlcr; printf \"one\\ntwo\\n\"'";
    const { stdout, ended } = startInTerminal(place, script);
    await ended;
    assert.equal(stdout.text(), "one\ntwo\n");
  });

  it("gives the terminal back as it was, also when husk fails", async ({ signal }) => {
    await using place = await Workplace.create(signal);
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

  it("gives the terminal back when the VM dies", async ({ signal }) => {
    await using place = await Workplace.create(signal);
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

  it("is refused when stdin is no terminal", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { status, stderr } = await place.husk(["run", "--rm", "-it", "--", "sh"]);
    assert.equal(status, 125);
    assert.match(stderr, /^husk: -t needs a terminal, .* \[ERR_USAGE\]\nhint: /);
  });
});

describe("husk exec -t", () => {
  it("gives its command a terminal, too", async ({ signal }) => {
    await using place = await Workplace.create(signal);
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

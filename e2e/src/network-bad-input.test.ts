import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe } from "node:test";
import { CniMachine, needsPlugins } from "@husk/virtcontainers/testing/cni-machine";
import { findMade, writeBridgeNetwork } from "./support/cni-networks.ts";
import { it } from "./support/vm-test.ts";
import { type HuskResult, Workplace } from "./support/workplace.ts";

/** One clear error: a line with the code at its end, perhaps details, then a hint; nothing on stdout. */
function assertFails(result: HuskResult, code: string, message: RegExp): void {
  assert.equal(result.status, 125, result.stderr);
  assert.equal(result.stdout.length, 0);
  assert.match(result.stderr, message);
  assert.match(
    result.stderr,
    new RegExp(`^husk: [^\\n]+ \\[${code}\\]\\n(?:  [^\\n]*\\n)*hint: [^\\n]+\\n$`),
  );
}

/** The options of husk for the networks of a machine. */
function cniOptions({ confDir, binDir }: CniMachine): string[] {
  return ["--cni-conf-dir", confDir, "--cni-bin-dir", binDir];
}

describe("bad networks given to husk run", needsPlugins, () => {
  it("a network namespace that is none", async (context) => {
    const machine = new CniMachine(context);
    await using place = await Workplace.create(context.signal);
    const run = (network: string) => place.husk(["run", "--rm", "--network", network, "--", "true"]);
    assertFails(
      await run("ns=/run/netns/missing"),
      "ERR_NETWORK_NAMESPACE",
      /\/run\/netns\/missing is not there/,
    );
    assertFails(
      await run("ns=/etc/passwd"),
      "ERR_NETWORK_NAMESPACE",
      /\/etc\/passwd is not a network namespace/,
    );
    assertFails(await run("ns=/proc/self/ns/net"), "ERR_NETWORK_NAMESPACE", /of the machine itself/);
    assertFails(await run("ns="), "ERR_USAGE", /not a network: ns=/);
    assertFails(await run("bridge"), "ERR_USAGE", /not a network: bridge/);
    assert.deepEqual(findMade(machine), []);
  });

  it("configurations and plugins that are missing or wrong", async (context) => {
    const machine = new CniMachine(context);
    await using place = await Workplace.create(context.signal);
    const run = (network = "cni", ...more: string[]) =>
      place.husk(["run", "--rm", "--network", network, ...cniOptions(machine), ...more, "--", "true"]);
    assertFails(await run(), "ERR_CNI_CONFIG", /1 CNI networks are wanted, but 0 found in .*net\.d/);
    machine.writeConfiguration("10-broken.conf", "{");
    assertFails(await run(), "ERR_CNI_CONFIG", /10-broken\.conf/);
    machine.writeConfiguration("10-broken.conf", { cniVersion: "9.9.9", name: "broken", type: "bridge" });
    assertFails(await run(), "ERR_CNI_CONFIG", /10-broken\.conf.*9\.9\.9/);
    writeBridgeNetwork(machine, "blue", 71);
    assertFails(await run("cni=green"), "ERR_CNI_CONFIG", /no CNI network "green" in .*networks there: blue/);
    assertFails(
      await run("cni=blue", "-p", "80:80"),
      "ERR_CNI_CONFIG",
      /no CNI network of the pod can map ports/,
    );
    const restore = machine.removePlugin("host-local");
    assertFails(
      await run("cni=blue"),
      "ERR_CNI_PLUGIN_MISSING",
      /blue needs the plugin host-local, which is not in /,
    );
    restore();
    assert.deepEqual(findMade(machine, "blue"), []);
  });

  it("plugins that fail, or print nonsense", async (context) => {
    const machine = new CniMachine(context);
    await using place = await Workplace.create(context.signal);
    writeBridgeNetwork(machine, "blue", 71, { more: [{ type: "last" }] });
    const cases: readonly [script: string, code: string, message: RegExp][] = [
      [
        `echo '{"cniVersion":"1.0.0","code":11,"msg":"no more addresses"}'; exit 1`,
        "ERR_CNI_PLUGIN",
        /plugin last \(ADD, network blue, interface eth0\) failed: no more addresses \(code 11\)/,
      ],
      ["echo it broke >&2; exit 3", "ERR_CNI_PLUGIN", /ended with status 3; stderr: it broke/],
      ["kill -SEGV $$", "ERR_CNI_PLUGIN", /was ended by SIGSEGV/],
      ["echo 'not JSON'", "ERR_CNI_RESULT", /it is not JSON; it printed: not JSON/],
      ["true", "ERR_CNI_RESULT", /it printed nothing/],
      [`echo '{"ips":[{"address":"10.0.0.300/24"}]}'`, "ERR_CNI_RESULT", /ips\[0\]\.address is no address/],
      ["yes", "ERR_CNI_RESULT", /printed more than 1048576 bytes and was killed/],
    ];
    for (const [script, code, message] of cases) {
      machine.writePlugin("last", `[ "$CNI_COMMAND" = DEL ] && exit; ${script}`);
      const result = await place.husk([
        "run",
        "--rm",
        "--network",
        "cni",
        ...cniOptions(machine),
        "--",
        "true",
      ]);
      assertFails(result, code, message);
      assert.deepEqual(findMade(machine, "blue"), [], script);
    }
  });

  it("a plugin that hangs until the user has enough of it", async (context) => {
    const machine = new CniMachine(context);
    await using place = await Workplace.create(context.signal);
    const fifo = join(machine.base, "hangs");
    execFileSync("mkfifo", [fifo]);
    writeBridgeNetwork(machine, "blue", 71, { more: [{ type: "last" }] });
    machine.writePlugin("last", `[ "$CNI_COMMAND" = DEL ] && exit; echo hangs > ${fifo}; exec sleep 1000`);
    for (const [signal, status] of [
      ["SIGINT", 130],
      ["SIGTERM", 143],
    ] as const) {
      const running = place.start(["run", "--rm", "--network", "cni", ...cniOptions(machine), "--", "true"]);
      const hangs = place.startProgram("cat", [fifo]);
      await hangs.ended;
      assert.notDeepEqual(findMade(machine, "blue"), []);
      running.child.kill(signal);
      const result = await running.ended;
      assert.deepEqual([result.status, result.stdout.toString(), result.stderr], [status, "", ""]);
      assert.deepEqual(findMade(machine, "blue"), []);
    }
  });

  it("addresses that clash", async (context) => {
    const machine = new CniMachine(context);
    await using place = await Workplace.create(context.signal);
    for (const number of [71, 72]) {
      const address = [{ address: "10.7.0.2/24" }];
      const ipam = { type: "static", addresses: address };
      machine.writeConfiguration(`${number}.conf`, {
        ...{ cniVersion: "1.0.0", name: `net${number}`, type: "bridge", bridge: `br${number}`, ipam },
      });
    }
    const result = await place.husk([
      ...["run", "--rm", "--network", "cni=net71,net72", ...cniOptions(machine)],
      ...["--", "true"],
    ]);
    assertFails(result, "ERR_NETWORK_CLASH", /10\.7\.0\.2/);
    assert.deepEqual(findMade(machine), []);
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Command } from "commander";
import { createProgram } from "./cli.ts";

/** All commands, those of groups, too. */
function allCommands({ commands }: Command): Command[] {
  return commands.flatMap((command) => [command, ...allCommands(command)]);
}

/** Parses a command line without doing what it says. */
async function parse(
  ...args: string[]
): Promise<{ name: string; operands: unknown[]; options: Record<string, unknown> }> {
  const program = createProgram({ exitWith() {} });
  let parsed: { name: string; operands: unknown[]; options: Record<string, unknown> } | undefined;
  for (const command of allCommands(program)) {
    command.configureOutput({ writeOut() {}, writeErr() {}, outputError() {} });
    if (command.commands.length > 0) continue;
    command.action((...given: unknown[]) => {
      const { args: operands } = given.at(-1) as Command;
      parsed = { name: command.name(), operands, options: command.opts() };
    });
  }
  await program.parseAsync(args, { from: "user" });
  assert.ok(parsed);
  return parsed;
}

describe("husk run", () => {
  it("takes everything behind -- for the command", async () => {
    const { operands, options } = await parse("run", "--rm", "--", "ls", "-l", "--rm", "--", "x");
    assert.deepEqual(operands, ["ls", "-l", "--rm", "--", "x"]);
    assert.deepEqual(options, { rm: true });
  });

  it("does without --, as soon as the command begins", async () => {
    const { operands, options } = await parse("run", "-i", "sh", "-c", "exit 3", "-t");
    assert.deepEqual(operands, ["sh", "-c", "exit 3", "-t"]);
    assert.deepEqual(options, { interactive: true });
  });

  it("takes combined short options", async () => {
    const { options } = await parse("run", "-ite", "A=1", "-eB=2", "-w/srv", "-u", "nobody:100", "--", "sh");
    assert.deepEqual(options, {
      interactive: true,
      tty: true,
      env: ["A=1", "B=2"],
      workdir: "/srv",
      user: "nobody:100",
    });
  });

  it("takes the options of the VM", async () => {
    const args =
      "--memory 128 --cpus=2 --max-cpus 4 --memory-slots 2 --rootfs dir --name n --hostname h --read-only --machine q35 --slots 2 --debug".split(
        " ",
      );
    const { options } = await parse("run", ...args, "--", "true");
    assert.deepEqual(options, {
      memory: 128,
      cpus: 2,
      maxCpus: 4,
      memorySlots: 2,
      rootfs: "dir",
      name: "n",
      hostname: "h",
      readOnly: true,
      machine: "q35",
      slots: 2,
      debug: true,
    });
  });

  it("takes the options of networks", async () => {
    const args = "--network cni=a -p 80:80 -p81:81/udp --dns 1.1.1.1 --interworking macvtap --cni-bin-dir b";
    const { options } = await parse("run", ...args.split(" "), "--", "true");
    assert.deepEqual(options, {
      network: "cni=a",
      publish: ["80:80", "81:81/udp"],
      dns: ["1.1.1.1"],
      interworking: "macvtap",
      cniBinDir: ["b"],
    });
  });

  it("takes what a detached command's log may be", async () => {
    const { options } = await parse("run", "-di", "--log-max-size", "1m", "--log-max-files=2", "--", "true");
    assert.deepEqual(options, { detach: true, interactive: true, logMaxSize: 1024 * 1024, logMaxFiles: 2 });
  });

  it("does not take the command for the value of --timings", async () => {
    const { operands, options } = await parse("run", "--timings", "true");
    assert.deepEqual([operands, options], [["true"], { timings: true }]);
  });

  it("takes --timings=json", async () => {
    const { options } = await parse("run", "--timings=json", "--", "true");
    assert.deepEqual(options, { "timings=json": true });
  });

  const refused: [args: string[], message: RegExp][] = [
    [["run", "--memroy", "128", "--", "true"], /unknown option '--memroy'\n\(Did you mean --memory\?\)/],
    [["run", "--memory", "lots", "--", "true"], /whole number/],
    [["run", "--cpus", "0", "--", "true"], /whole number/],
    [["run", "--machine", "i440", "--", "true"], /Allowed choices are q35, microvm, pc/],
    [["run", "--timings=xml", "--", "true"], /unknown option/],
    [["run", "--name"], /argument missing/],
    [["run", "--memory-limit", "64mb", "--", "true"], /size above 0/],
    [["update", "--cpu-limit", "all", "web"], /number of processors/],
    [["stats", "--interval", "0"], /whole number/],
    [["rn"], /unknown command 'rn'\n\(Did you mean one of rm, run\?\)/],
    [["exec"], /missing required argument 'name'/],
    [["stop"], /missing required argument 'name'/],
    [["network", "ad", "web"], /unknown command 'ad'\n\(Did you mean add\?\)/],
    [["network", "rm", "web"], /missing required argument 'interface'/],
    [["run", "--interworking", "bridge", "--", "true"], /Allowed choices are tcFilter, bridged/],
    [["logs", "--since", "soon", "web"], /Expected a span/],
    [["logs", "--tail", "-1", "web"], /number of lines/],
    [["attach", "web", "db"], /too many arguments/],
    [["wait"], /missing required argument 'name'/],
    [["ps", "extra"], /too many arguments/],
    [
      ["run", "--factory", "stock", "--", "true"],
      /Allowed choices are direct, template, cache, cache\+template/,
    ],
    [["cache", "serve", "--tiers", "warm=1"], /Expected tiers with numbers/],
    [["cache", "serve", "--number", "0"], /whole number/],
    [["cache", "status", "web"], /too many arguments/],
    [["completion", "tcsh"], /Allowed choices are bash, zsh, fish/],
  ];
  for (const [args, message] of refused) {
    it(`refuses: husk ${args.join(" ")}`, () => assert.rejects(parse(...args), { message }));
  }
});

describe("husk exec", () => {
  it("passes what follows the name through", async () => {
    const { operands, options } = await parse("exec", "-it", "web", "--", "ls", "-l");
    assert.deepEqual(operands, ["web", "--", "ls", "-l"]);
    assert.deepEqual(options, { interactive: true, tty: true });
  });
});

describe("husk attach", () => {
  it("passes input on, and leaves open what it does with signals", async () => {
    assert.deepEqual((await parse("attach", "web")).options, { stdin: true });
    const { options } = await parse("attach", "--no-stdin", "--no-sig-proxy", "web");
    assert.deepEqual(options, { stdin: false, sigProxy: false });
  });
});

describe("husk logs", () => {
  it("takes what is to be read, and how", async () => {
    const { operands, options } = await parse(
      "logs",
      "-ftn",
      "5",
      "--since",
      "1767225600",
      "--stderr",
      "web",
    );
    assert.deepEqual(operands, ["web"]);
    const since = new Date("2026-01-01T00:00:00Z");
    assert.deepEqual(options, { follow: true, timestamps: true, tail: 5, since, stderr: true });
  });
});

describe("husk network", () => {
  it("takes a network or a link", async () => {
    const network = await parse("network", "add", "web", "green");
    assert.deepEqual([network.operands, network.options], [["web", "green"], {}]);
    const link = await parse("network", "add", "web", "--link", "eth1");
    assert.deepEqual([link.operands, link.options], [["web"], { link: "eth1" }]);
  });
});

describe("husk cache", () => {
  it("takes what the VMs are, and how many are to wait", async () => {
    const args = "--tiers rehearsed=1,prepared=2 --template --endpoint e --memory 128 --agent kata";
    const { options } = await parse("cache", "serve", ...args.split(" "));
    const tiers = { rehearsed: 1, prepared: 2 };
    assert.deepEqual(options, { tiers, template: true, endpoint: "e", memory: 128, agent: "kata" });
  });
});

describe("husk update", () => {
  it("takes what is the VM's and what is the container's", async () => {
    const limits = "--cpu-limit 0.5 --cpu-shares 100 --cpuset-cpus 0-1 --memory-limit 64m --pids-limit none";
    const { operands, options } = await parse(
      "update",
      "--cpus",
      "2",
      "--memory=512",
      ...limits.split(" "),
      "web/db",
    );
    assert.deepEqual(operands, ["web/db"]);
    assert.deepEqual(options, {
      cpus: 2,
      memory: 512,
      cpuLimit: 0.5,
      cpuShares: 100,
      cpusetCpus: "0-1",
      memoryLimit: 64 * 1024 * 1024,
      pidsLimit: Number.POSITIVE_INFINITY,
    });
  });
});

describe("husk stats", () => {
  it("goes on, unless told otherwise", async () => {
    assert.deepEqual((await parse("stats")).options, { stream: true });
    const { operands, options } = await parse("stats", "--no-stream", "--interval", "5", "web", "db");
    assert.deepEqual([operands, options], [["web", "db"], { stream: false, interval: 5 }]);
  });
});

describe("every command", () => {
  for (const command of allCommands(createProgram({ exitWith() {} }))) {
    const group = command.parent?.parent ? `${command.parent.name()} ` : "";
    it(`${group}${command.name()} has help with examples`, async () => {
      let help = "";
      command.configureOutput({ writeOut: (text) => (help += text) });
      command.exitOverride();
      assert.throws(() => command.outputHelp({ error: false }) ?? command.help(), { code: "commander.help" });
      assert.match(help, /Examples:\n {2}(source <\()?husk /);
    });
  }
});

import assert from "node:assert/strict";
import { existsSync, readFileSync, watch } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { CniMachine, needsPlugins } from "../../testing/cni-machine.ts";
import { NetInterworkingModel, type NetworkConfig } from "../../types/index.ts";
import { checkAttachments, cniNetwork } from "./index.ts";

/** One run of a recording plugin. */
interface Run {
  readonly command: string;
  readonly plugin: string;
  readonly netNSPath: string;
  readonly args: string;
  readonly input: Record<string, unknown>;
}

/** A machine with plugins `one`, `two` and `three` that record their runs; ADD prints `{"<name>": true}`. */
function makeRecorders(t: TestContext, version: string, more: Record<string, unknown> = {}) {
  const machine = new CniMachine(t);
  const log = join(machine.base, "log");
  const record = `{ printf '%s %s %s %s ' "$CNI_COMMAND" "\${0##*/}" "$CNI_NETNS;" "$CNI_ARGS;"; cat; echo; } >> ${log}`;
  const answer = `[ "$CNI_COMMAND" = ADD ] && echo "{\\"cniVersion\\":\\"${version}\\",\\"\${0##*/}\\":true}"`;
  const set = (name: string, script: string) => machine.writePlugin(name, `${record}\n${script}`);
  for (const name of ["one", "two", "three"]) set(name, `${answer}; true`);
  const plugins = ["one", "two", "three"].map((type) => ({ type, own: type }));
  machine.writeConfiguration("1.conflist", { cniVersion: version, name: "net", plugins, ...more });
  const runs = (): Run[] =>
    readLines(log).map((line) => {
      const [, command = "", plugin = "", netNSPath = "", args = "", input = ""] =
        /^(\S+) (\S+) (.*?); (.*?); (\{.*\})$/.exec(line) ?? [];
      return { command, plugin, netNSPath, args, input: JSON.parse(input) };
    });
  return { machine, set, runs, order: () => runs().map(({ command, plugin }) => `${command} ${plugin}`) };
}

function readLines(path: string): string[] {
  return existsSync(path) ? readFileSync(path, "utf8").trim().split("\n") : [];
}

const ADDS = ["ADD one", "ADD two", "ADD three"];
const DELS = ["DEL three", "DEL two", "DEL one"];

test(
  "each plugin gets the result of the one before, and what undoes and checks gets the last",
  needsPlugins,
  async (t) => {
    const { machine, runs, order } = makeRecorders(t, "1.0.0");
    const site = machine.makeSite({});
    await cniNetwork.attach(site);
    await checkAttachments(site);
    await cniNetwork.detach(site);
    assert.deepEqual(order(), [...ADDS, "CHECK one", "CHECK two", "CHECK three", ...DELS]);
    const own = (type: string) => ({ type, own: type, cniVersion: "1.0.0", name: "net" });
    const [one, two, three, ...later] = runs().map(({ input }) => input);
    assert.deepEqual(one, own("one"));
    assert.deepEqual(two, { ...own("two"), prevResult: { cniVersion: "1.0.0", one: true } });
    assert.deepEqual(three, { ...own("three"), prevResult: { cniVersion: "1.0.0", two: true } });
    for (const input of later) assert.deepEqual(input.prevResult, { cniVersion: "1.0.0", three: true });
    assert.ok(runs().every(({ netNSPath, args }) => netNSPath === site.record.netNSPath && args === ""));
    assert.deepEqual(site.record.attachments, []);
  },
);

test(
  "the record tells of a network before its first plugin runs, and of each result",
  needsPlugins,
  async (t) => {
    const { machine } = makeRecorders(t, "1.0.0");
    const site = machine.makeSite({});
    await cniNetwork.attach(site);
    const added = site.saved.map(({ attachments }) => attachments?.map((attachment) => attachment.added));
    assert.deepEqual(added, [[undefined], [1], [2], [3]]);
  },
);

test("before 0.4.0 there is no CHECK, and no result for DEL", needsPlugins, async (t) => {
  const { machine, runs, order } = makeRecorders(t, "0.3.1");
  const site = machine.makeSite({});
  await cniNetwork.attach(site);
  await checkAttachments(site);
  await cniNetwork.detach(site);
  assert.deepEqual(order(), [...ADDS, ...DELS]);
  assert.ok(
    runs()
      .slice(3)
      .every(({ input }) => !("prevResult" in input)),
  );
});

test("CHECK is not run where the configuration forbids it", needsPlugins, async (t) => {
  const { machine, order } = makeRecorders(t, "1.0.0", { disableCheck: true });
  const site = machine.makeSite({});
  await cniNetwork.attach(site);
  await checkAttachments(site);
  assert.deepEqual(order(), ADDS);
});

test("what CHECK finds is told with the network and its interface", needsPlugins, async (t) => {
  const { machine, set } = makeRecorders(t, "0.4.0");
  const site = machine.makeSite({});
  await cniNetwork.attach(site);
  set("two", `echo '{"code": 100, "msg": "the link is down"}'; exit 1`);
  await assert.rejects(checkAttachments(site), {
    code: "ERR_CNI_PLUGIN",
    message: "the CNI plugin two (CHECK, network net, interface eth0) failed: the link is down (code 100)",
  });
});

test("a plugin that fails, hangs or prints nonsense has the whole chain undone", needsPlugins, async (t) => {
  const failures: [script: string, code: string, message: RegExp][] = [
    [
      `echo '{"code": 11, "msg": "not now"}'; exit 1`,
      "ERR_CNI_PLUGIN",
      /two \(ADD, .* failed: not now \(code 11\)$/,
    ],
    ["sleep 1000; :", "ERR_CNI_PLUGIN", /two \(ADD, .* did not end within 2000 ms and was killed$/],
    [
      "echo nonsense",
      "ERR_CNI_RESULT",
      /two \(ADD, .* gave a wrong result: it is not JSON; it printed: nonsense$/,
    ],
    ["true", "ERR_CNI_RESULT", /it printed nothing$/],
    ["head -c 2097152 /dev/zero", "ERR_CNI_RESULT", /printed more than 1048576 bytes/],
  ];
  for (const [script, code, message] of failures) {
    const { machine, set, order, runs } = makeRecorders(t, "1.0.0");
    set("two", `[ "$CNI_COMMAND" = DEL ] && exit; ${script}`);
    const site = machine.makeSite({}, { deadlineFactor: 0.2 });
    await assert.rejects(cniNetwork.attach(site), { code, message });
    assert.deepEqual(order(), ["ADD one", "ADD two", ...DELS]);
    assert.deepEqual(runs().at(-1)?.input.prevResult, { cniVersion: "1.0.0", one: true });
    assert.deepEqual(site.record.attachments, []);
    assert.deepEqual(site.saved.at(-1)?.attachments, []);
  }
});

test("what cannot be undone is told after what led to it, and tried again", needsPlugins, async (t) => {
  const { machine, set, order } = makeRecorders(t, "1.0.0");
  const site = machine.makeSite({});
  set("two", "echo broken >&2; exit 1");
  await assert.rejects(cniNetwork.attach(site), {
    code: "ERR_CNI_PLUGIN",
    message: /^\S+ \S+ \S+ two \(ADD, .*broken; and undoing it failed: .* two \(DEL, .*broken$/,
  });
  assert.deepEqual(order(), ["ADD one", "ADD two", ...DELS]);
  assert.equal(site.record.attachments?.length, 1);
  await assert.rejects(cniNetwork.detach(site), { code: "ERR_CNI_PLUGIN", message: /two \(DEL, / });
  set("two", "true");
  await cniNetwork.detach(site);
  assert.deepEqual(site.record.attachments, []);
  assert.deepEqual(order().slice(5), [...DELS, ...DELS]);
});

test("an aborted call has its chain undone all the same", needsPlugins, async (t) => {
  const { machine, set, order } = makeRecorders(t, "1.0.0");
  const controller = new AbortController();
  const watcher = watch(machine.base, (_, name) => name === "begun" && controller.abort());
  t.after(() => watcher.close());
  set("two", `[ "$CNI_COMMAND" = DEL ] && exit; touch ${machine.base}/begun; sleep 1000; :`);
  const site = machine.makeSite({}, { signal: controller.signal });
  await assert.rejects(cniNetwork.attach(site), { code: "ERR_ABORTED" });
  assert.deepEqual(order(), ["ADD one", "ADD two", ...DELS]);
  await cniNetwork.detach(site);
  assert.equal(order().length, 5);
});

test("plugins that have gone are told, and the others run", needsPlugins, async (t) => {
  const { machine, order } = makeRecorders(t, "1.0.0");
  const site = machine.makeSite({});
  await cniNetwork.attach(site);
  const { one, three } = { one: machine.removePlugin("one"), three: machine.removePlugin("three") };
  await assert.rejects(cniNetwork.detach(site), {
    code: "ERR_CNI_PLUGIN_MISSING",
    message: /needs the plugin three, .*; and .* needs the plugin one, /,
  });
  assert.deepEqual(order(), [...ADDS, "DEL two"]);
  one();
  three();
  await cniNetwork.detach(site);
  assert.deepEqual(order().slice(4), DELS);
});

test("a namespace that has gone is not told to plugins", needsPlugins, async (t) => {
  const { machine, runs } = makeRecorders(t, "1.0.0");
  const site = machine.makeSite({});
  await cniNetwork.attach(site);
  machine.removeNamespace(site);
  await cniNetwork.detach(site);
  assert.deepEqual(
    runs()
      .slice(3)
      .map(({ netNSPath }) => netNSPath),
    ["", "", ""],
  );
  await assert.rejects(cniNetwork.attach(site), {
    code: "ERR_NETWORK_NAMESPACE",
    message: /there is no network namespace/,
  });
  assert.deepEqual(site.record.attachments, []);
});

test("plugins are told of a pod what their capabilities allow", needsPlugins, async (t) => {
  const portMappings = { portMappings: true };
  const plugins = [
    { type: "one", capabilities: { ...portMappings, ips: true } },
    { type: "two", capabilities: { dns: true } },
  ];
  const { machine, runs } = makeRecorders(t, "1.0.0", { plugins });
  machine.writeConfiguration("2.conf", {
    cniVersion: "1.0.0",
    name: "second",
    type: "three",
    capabilities: portMappings,
  });
  const config: NetworkConfig = {
    numInterfaces: 2,
    interworkingModel: NetInterworkingModel.enlightened,
    cni: { args: { K8S_POD_NAME: "p" } },
    dns: { servers: ["10.0.0.1"], search: ["a.example"] },
    portMappings: [
      { hostPort: 80, containerPort: 8080 },
      { hostPort: 53, containerPort: 5353, protocol: "udp", hostAddress: "10.1.1.1" },
    ],
  };
  const site = machine.makeSite(config);
  await cniNetwork.attach(site);
  await cniNetwork.detach(site);
  const told = runs().map(({ plugin, input }) => [plugin, input.runtimeConfig]);
  const ports = {
    portMappings: [
      { hostPort: 80, containerPort: 8080, protocol: "tcp" },
      { hostPort: 53, containerPort: 5353, protocol: "udp", hostIP: "10.1.1.1" },
    ],
  };
  const dns = { dns: { servers: ["10.0.0.1"], searches: ["a.example"], options: [] } };
  const added = [
    ["one", ports],
    ["two", dns],
    ["three", undefined],
  ];
  assert.deepEqual(told, [...added, ...added.toReversed()]);
  assert.ok(runs().every(({ args }) => args === "K8S_POD_NAME=p;IgnoreUnknown=1;HUSK_VM_INTERFACE=1"));
  assert.ok(runs().every(({ input }) => !("capabilities" in input)));
});

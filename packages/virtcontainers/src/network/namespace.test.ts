import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { needsRoot } from "../testing/needs-root.ts";
import { makeTestNamespace, testSite } from "../testing/test-namespace.ts";
import {
  checkNamespace,
  isNamespace,
  makeNamespace,
  namespaceName,
  namespacePath,
  removeNamespace,
} from "./namespace.ts";
import { runInNamespace } from "./namespace-command.ts";

test("a namespace is made with lo up, and removed, as often as one likes", needsRoot, async (t) => {
  const path = namespacePath(`test-${randomUUID()}`);
  const site = testSite(path);
  t.after(() => removeNamespace(site));
  await makeNamespace(site);
  assert.ok(isNamespace(path));
  await checkNamespace(site);
  const lo = execFileSync("nsenter", [`--net=${path}`, "--", "ip", "-br", "address", "show", "dev", "lo"]);
  assert.match(lo.toString(), /127\.0\.0\.1\/8/);
  await makeNamespace(site);
  await removeNamespace(site);
  assert.equal(existsSync(path), false);
  await removeNamespace(site);
});

test("a namespace that was made by half is removed, or made anew", needsRoot, async (t) => {
  const path = namespacePath(`test-${randomUUID()}`);
  const site = testSite(path);
  t.after(() => removeNamespace(site));
  writeFileSync(path, "");
  assert.equal(isNamespace(path), false);
  await removeNamespace(site);
  assert.equal(existsSync(path), false);
  writeFileSync(path, "");
  await makeNamespace(site);
  assert.ok(isNamespace(path));
});

test("only namespaces with names are made and removed", needsRoot, async () => {
  const site = testSite(`/tmp/husk-test-${randomUUID()}`);
  await assert.rejects(makeNamespace(site), {
    code: "ERR_NETWORK_NAMESPACE",
    message: /not in \/run\/netns/,
  });
  assert.equal(namespaceName("/var/run/netns/blue"), "blue");
  assert.equal(namespaceName("/run/netns/blue"), "blue");
  assert.equal(namespaceName("/proc/1/ns/net"), undefined);
});

test("a namespace that is given must be one, and not the machine's", needsRoot, async () => {
  // A container may not look at process 1, and then takes its own for the machine's.
  const own = existsSync("/proc/1/ns/net") ? "/proc/1/ns/net" : "/proc/self/ns/net";
  const check = (path: string) => checkNamespace(testSite(path));
  await using namespace = makeTestNamespace();
  await check(namespace.path);
  for (const [path, message] of [
    ["/run/netns/none-such", /none-such is not there/],
    ["/etc/hostname", /hostname is not a network namespace/],
    ["/proc/self/ns/uts", /cannot be entered|cannot be looked at/],
    [own, /of the machine itself/],
  ] as const) {
    await assert.rejects(check(path), { code: "ERR_NETWORK_NAMESPACE", message });
  }
});

test("what runs in a namespace tells what is missing", needsRoot, async () => {
  await using namespace = makeTestNamespace();
  const place = { netNSPath: namespace.path, deadlineFactor: 1 };
  const run = (program: string, ...args: string[]) => runInNamespace(place, program, args);
  await assert.rejects(run("no-such-program"), {
    code: "ERR_NOT_SUPPORTED",
    message: /the program no-such-program, which is not installed/,
  });
  assert.match((await run("ip", "link", "show", "dev", "eth7")).failure ?? "", /"eth7" does not exist/);
  const gone = { ...place, netNSPath: "/run/netns/none-such" };
  await assert.rejects(runInNamespace(gone, "ip", ["link"]), {
    code: "ERR_NETWORK_NAMESPACE",
    message: /none-such cannot be entered: cannot open .*No such file/,
  });
});

test("what hangs in a namespace is killed, and so is what was aborted", needsRoot, async () => {
  await using namespace = makeTestNamespace();
  const place = { netNSPath: namespace.path, deadlineFactor: 0.001 };
  const { failure } = await runInNamespace(place, "sleep", ["1000"]);
  assert.equal(failure, "nsenter did not end within 5 ms");
  const controller = new AbortController();
  const running = runInNamespace({ ...place, deadlineFactor: 1, signal: controller.signal }, "sleep", [
    "1000",
  ]);
  controller.abort();
  await assert.rejects(running, { code: "ERR_ABORTED" });
});

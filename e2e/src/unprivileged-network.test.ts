import assert from "node:assert/strict";
import { chmod, chown, cp } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";
import { needsRoot } from "./support/needs-root.ts";
import { type TestNamespace, TestNetworks } from "./support/network-namespaces.ts";
import { DEMO_ROOTFS, HUSK } from "./support/places.ts";
import { it } from "./support/vm-test.ts";
import { type HuskResult, type RunningHusk, Workplace } from "./support/workplace.ts";

/** Whom the kernel gives no rights. */
const NOBODY = 65_534;
/** Serves a page on each of three ports that tells which it is. */
const SERVE = [
  "for port in 8000 8001 8002; do",
  "mkdir -p /tmp/$port; echo $port > /tmp/$port/index.html; httpd -h /tmp/$port -p $port;",
  "done; echo up; sleep 1000",
].join(" ");

/** Starts husk as a user without rights, in a network namespace where no port is taken. */
function startAsNobody(place: Workplace, { path }: TestNamespace, args: readonly string[]): RunningHusk {
  const user = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"];
  const husk = ["setpriv", ...user, process.execPath, HUSK, ...args];
  const running = place.startProgram("nsenter", [`--net=${path}`, "--", ...husk]);
  running.child.stdin.end();
  return running;
}

function assertRefused({ status, stderr }: HuskResult, message: RegExp, expected = 125): void {
  assert.equal(status, expected);
  assert.match(stderr, message);
  assert.match(stderr, /\nhint: ./);
}

describe("a user without rights", needsRoot, () => {
  it("publishes ports of QEMU's own network, and is refused all others clearly", async ({ signal }) => {
    await using networks = new TestNetworks();
    const [namespace, other] = [networks.add(), networks.add()];
    await using place = await Workplace.create(signal);
    const rootFs = join(place.folder, "rootfs");
    await cp(DEMO_ROOTFS, rootFs, { recursive: true, verbatimSymlinks: true });
    await chmod(join(rootFs, "root"), 0o755);
    await chown(place.folder, NOBODY, NOBODY);
    const start = (...args: string[]) => startAsNobody(place, namespace, args);
    const run = (...args: string[]) => start("run", "--rm", "--rootfs", rootFs, ...args).ended;
    const options = ["--rm", "--rootfs", rootFs, "--name", "web", "--network", "user"];
    const publish = ["-p", "127.0.0.1:9000-9002:8000-8002", "-p", "9000:53/udp"];
    const web = start("run", ...options, ...publish, "--", "sh", "-c", SERVE);
    await web.stdout.waitFor(/up/);
    for (const [at, page] of ["8000\n", "8001\n", "8002\n"].entries()) {
      const args = ["wget", "-q", "-O", "-", `http://127.0.0.1:${9000 + at}/`];
      const got = place.startProgram("nsenter", [
        `--net=${namespace.path}`,
        "--",
        join(DEMO_ROOTFS, "bin/busybox"),
        ...args,
      ]);
      assert.equal((await got.ended).stdout.toString(), page);
    }
    const listed = await start("ps").ended;
    assert.match(listed.stdout.toString(), /127\.0\.0\.1:9000-9002->8000-8002\/tcp, 900/);
    const checked = await start("network", "check", "web").ended;
    assert.deepEqual([checked.status, checked.stdout.toString()], [0, "web\n"]);
    for (const taken of ["9001:80", "127.0.0.1:9002:80", "127.0.0.1:9000:80/udp"]) {
      assertRefused(await run("--network", "user", "-p", taken, "--", "true"), /in use \[ERR_PORT_IN_USE\]/);
    }
    assertRefused(
      await start("network", "add", "web", "green").ended,
      /no network namespace .*\[ERR_NOT_SUPPORTED\]/,
      2,
    );
    assertRefused(
      await start("network", "rm", "web", "eth0").ended,
      /no network namespace .*\[ERR_NOT_SUPPORTED\]/,
      2,
    );
    assert.equal((await start("stop", "web").ended).status, 0);
    await web.ended;

    const refused = {
      "--network user -p 127.0.0.1:80:80": /80\/tcp of the host is for root alone \[ERR_NOT_SUPPORTED\]/,
      "--network user -p 192.0.2.1:9000:80": /this machine has no such address \[ERR_CONFIG_INVALID\]/,
      "--network user -p [::1]:9000:80": /IPv4 addresses only \[ERR_NOT_SUPPORTED\]/,
      "--network user -p 9000:80 -p 9000:81": /9000\/tcp of the host is given twice \[ERR_CONFIG_INVALID\]/,
      "--network none -p 9000:80": /--publish does nothing with --network none \[ERR_USAGE\]/,
      "-p 9000:80": /--publish does nothing with --network none \[ERR_USAGE\]/,
      [`--network ns=${other.path}`]: /cannot be entered: .*not permitted \[ERR_NETWORK_NAMESPACE\]/,
    };
    for (const [words, message] of Object.entries(refused)) {
      assertRefused(await run(...words.split(" "), "--", "true"), message);
    }
  });
});

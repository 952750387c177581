import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { chmod, chown, cp, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Server } from "node:net";
import { join } from "node:path";
import { describe } from "node:test";
import { promisify } from "node:util";
import { needsRoot } from "./support/needs-root.ts";
import { DEMO_ROOTFS, HUSK } from "./support/places.ts";
import { makeTrafficRoot } from "./support/traffic-root.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

/** Amount of data each way: more than all queues on the way hold. */
const BYTES = String(16 << 20);
/** busybox has no server for UDP; but the guest's kernel counts the datagrams that nobody wants. */
const WAIT_FOR_DATAGRAM =
  "until awk '/^Udp: [0-9]/ && $3 > 0 { heard = 1 } END { exit !heard }' /proc/net/snmp; do sleep 0.1; done; echo heard; sleep 1000";
/** For programs whose output is all of that. */
const LARGE = { encoding: "buffer", maxBuffer: 2 * Number(BYTES) } as const;
/** Whom the kernel gives no rights. */
const NOBODY = 65_534;

const execute = promisify(execFile);
const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** A server on the host that sends `answer` to everybody; its port. */
async function serve(answer: string, host: string): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.end(answer);
  }).listen(0, host);
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

/** Runs `traffic` on the host to send to whoever connects; resolves when it listens, to be awaited for its end. */
async function sendAll(
  place: Workplace,
  program: string,
  port: number,
): Promise<{ ended: Promise<unknown> }> {
  const { ended, stderr } = place.startProgram(program, ["listen", String(port), "send", BYTES]);
  await stderr.waitFor(/listening/);
  return { ended };
}

/** A port that nobody has at this moment. */
async function findPort(): Promise<number> {
  const { server, port } = await serve("", "127.0.0.1");
  server.close();
  await once(server, "close");
  return port;
}

describe("husk run --network", () => {
  it("none is the default: nothing but the loopback interface", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const { stdout } = await place.husk(["run", "--rm", "--", "ls", "/sys/class/net"]);
    assert.equal(stdout.toString(), "lo\n");
  });

  for (const machine of ["q35", "pc", "microvm"]) {
    it(`user reaches the host by IPv4 and IPv6, on a ${machine}`, async ({ signal }) => {
      await using place = await Workplace.create(signal);
      const [four, six] = await Promise.all([serve("four\n", "127.0.0.1"), serve("six\n", "::1")]);
      try {
        const script = `nc 10.0.2.2 ${four.port} < /dev/null; nc fec0::2 ${six.port} < /dev/null; cat /sys/class/net/eth0/operstate`;
        const options = ["--rm", "--machine", machine, "--network", "user"];
        const { status, stdout, stderr } = await place.husk(["run", ...options, "--", "sh", "-c", script]);
        assert.deepEqual([status, stdout.toString()], [0, "four\nsix\nup\n"], stderr);
      } finally {
        for (const { server } of [four, six]) server.close();
      }
    });
  }

  it("publishes ports that others do not have", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const port = await findPort();
    const publish = ["-p", `127.0.0.1:${port}:80`, "-p", `127.0.0.1:${port}:53/udp`];
    const script = `mkdir /tmp/w; echo web > /tmp/w/f; httpd -h /tmp/w; echo ready; ${WAIT_FOR_DATAGRAM}`;
    const running = place.start([
      ...["run", "--rm", "--name", "web", "--network", "user", ...publish],
      ...["--", "sh", "-c", script],
    ]);
    await running.stdout.waitFor(/ready/);
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/f`)).text(), "web\n");
    const socket = createSocket("udp4");
    socket.send("datagram", port, "127.0.0.1", () => socket.close());
    await running.stdout.waitFor(/heard/);
    const { stdout } = await place.husk(["ps"]);
    assert.match(stdout.toString(), new RegExp(`PORTS.*\n.*127\\.0\\.0\\.1:${port}->80/tcp`));
    const listed = await place.husk(["network", "ls", "web"]);
    assert.match(listed.stdout.toString(), /\neth0 .* user +direct +10\.0\.2\.15\/24, fec0::15\/64\n$/);
    const clash = await place.husk(["run", "--rm", "--network", "user", "-p", `${port}:80`, "--", "true"]);
    assert.equal(clash.status, 125);
    assert.match(clash.stderr, new RegExp(`${port}/tcp.*in use.*ERR_PORT_IN_USE`));
    await place.husk(["rm", "-f", "web"]);
    await running.ended;
    // With the VM goes what it listened to.
    const free = createServer().listen(port, "127.0.0.1");
    await once(free, "listening");
    free.close();
  });

  it("carries 16 MiB unchanged, both ways, by both families and through a published port", async ({
    signal,
  }) => {
    await using place = await Workplace.create(signal);
    const { path, program } = await makeTrafficRoot(place.folder);
    const [four, six, published] = [await findPort(), await findPort(), await findPort()];
    const servers = await Promise.all([four, six].map((port) => sendAll(place, program, port)));
    const hash = "2> /dev/null | sha256sum | cut -d ' ' -f 1";
    const script = [
      `traffic connect 10.0.2.2 ${four} receive - ${hash}`,
      `traffic connect fec0::2 ${six} receive - ${hash}`,
      "traffic listen 5000 receive - | sha256sum | cut -d ' ' -f 1",
      `traffic listen 5000 send ${BYTES}`,
    ].join("\n");
    const options = ["--rm", "--rootfs", path, "--network", "user", "-p", `127.0.0.1:${published}:5000`];
    const running = place.start(["run", ...options, "--", "sh", "-c", script]);
    const connect = ["connect", "127.0.0.1", String(published)];
    await running.stderr.waitFor(/listening/);
    await execute(program, [...connect, "send", BYTES]);
    await running.stderr.waitFor(/listening\n.*\nlistening/);
    const received = await execute(program, [...connect, "receive", "-"], LARGE);
    const { stdout } = await running.ended;
    await Promise.all(servers.map(({ ended }) => ended));
    const expected = digest((await execute(program, ["write", BYTES], LARGE)).stdout);
    assert.equal(digest(received.stdout), expected);
    assert.deepEqual(stdout.toString().split("\n"), [expected, expected, expected, ""]);
  });
});

describe("husk run --network user, around the host", needsRoot, () => {
  it("asks the host's name server", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const conf = join(place.folder, "resolv.conf");
    await writeFile(conf, "nameserver 127.0.0.1\nsearch pods.example\n");
    const nameServer = join(import.meta.dirname, "support/name-server-worker.ts");
    const script = [
      `mount --bind ${conf} /etc/resolv.conf; ip link set lo up`,
      `mkfifo ${conf}.ready; $0 ${nameServer} 127.0.0.1 53 192.0.2.7 > ${conf}.ready & read _ < ${conf}.ready`,
      `$0 ${HUSK} run --rm --network user -- sh -c 'cat /etc/resolv.conf; nslookup web.example'; kill $!`,
    ].join("\n");
    // In namespaces of its own, where the port 53 is free and another file is the host's resolv.conf.
    const args = ["--net", "--mount", "sh", "-c", script, process.execPath];
    const { ended, child } = place.startProgram("unshare", args);
    child.stdin.end();
    const { stdout, stderr } = await ended;
    assert.match(stdout.toString(), /^nameserver 10\.0\.2\.3\nsearch pods\.example\n/, stderr);
    assert.match(stdout.toString(), /Name:\s+web\.example\nAddress:\s+192\.0\.2\.7\n/);
  });

  it("needs no root", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const rootFs = join(place.folder, "rootfs");
    await cp(DEMO_ROOTFS, rootFs, { recursive: true, verbatimSymlinks: true });
    await chmod(join(rootFs, "root"), 0o755);
    await chown(place.folder, NOBODY, NOBODY);
    const { server, port } = await serve("four\n", "127.0.0.1");
    const nobody = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", process.execPath, HUSK];
    const run = [
      "run",
      "--rm",
      "--rootfs",
      rootFs,
      "--network",
      "user",
      "--",
      "nc",
      "10.0.2.2",
      String(port),
    ];
    const { ended, child } = place.startProgram("setpriv", [...nobody, ...run]);
    child.stdin.end();
    const { status, stdout, stderr } = await ended;
    server.close();
    assert.deepEqual([status, stdout.toString()], [0, "four\n"], stderr);
  });
});

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { describe } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Command, encodeWriteFile, PSCONTAINER, parseListedPids } from "@husk/wire/hyperstart";
import { DrivenGuest } from "./support/driven-guest.ts";
import { DEMO_ROOTFS } from "./support/places.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

/** The demo's root as a disk, which the guest finds by its serial number. */
async function packRoot(folder: string): Promise<{ root: string }> {
  const root = join(folder, "root.erofs");
  await promisify(execFile)("mkfs.erofs", ["--quiet", root, DEMO_ROOTFS]);
  return { root };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

/** What somebody at a port of this host says, or "silence" when nothing has come in some milliseconds. */
async function hear(port: number, limitMs: number): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let text = "";
  socket.on("data", (bytes) => {
    text += bytes;
  });
  socket.on("error", () => {});
  await Promise.race([once(socket, "close"), sleep(limitMs, undefined, { ref: false })]);
  socket.destroy();
  return text || "silence";
}

const SLEEP = { id: "init", args: ["/bin/sleep", "1000"], stdio: 10001, stderr: 10002 };
const CONTAINER = { id: "web", image: "root", fstype: "erofs", process: SLEEP };

describe("the agent in a VM, driven by its control channel", () => {
  it("plugs a network in and out, and maps ports to a container by real packets", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    const [mapped, direct] = [await freePort(), await freePort()];
    const forwards = `hostfwd=tcp:127.0.0.1:${mapped}-10.0.2.15:8080,hostfwd=tcp:127.0.0.1:${direct}-10.0.2.15:81`;
    const more = [
      ...["-device", "pcie-root-port,id=slot1,chassis=1,slot=1"],
      ...["-netdev", `user,id=net,restrict=on,${forwards}`],
    ];
    const hardware = { disks: await packRoot(place.folder), more };
    await using guest = await DrivenGuest.boot(place.folder, hardware, signal);
    await guest.ask(Command.GETVERSION);
    const nic = {
      driver: "virtio-net-pci",
      netdev: "net",
      id: "nic",
      bus: "slot1",
      mac: "02:00:00:00:00:0a",
    };
    await guest.monitor("device_add", nic);
    await guest.ask(Command.SETUPINTERFACE, {
      macAddr: "02:00:00:00:00:0A",
      newDeviceName: "web0",
      ipAddresses: [
        { ipAddress: "10.0.2.15", netMask: "255.255.255.0" },
        { ipAddress: "fd00::15", netMask: "64" },
      ],
      mtu: 1400,
    });
    await guest.ask(Command.SETUPROUTE, {
      routes: [{ dest: "default", gateway: "10.0.2.2", device: "web0" }],
    });
    const lists = { internalNetworks: ["192.168.0.0/16"], externalNetworks: ["10.0.2.0/24"] };
    await guest.ask(Command.STARTPOD, { hostname: "pod", portmappingWhiteLists: lists });
    const ports = [{ hostPort: 8080, containerPort: 80, protocol: "tcp" }];
    await guest.ask(Command.NEWCONTAINER, { ...CONTAINER, ports });
    assert.match(
      await guest.exec("web", "ip -o address show dev web0; ip route"),
      /inet 10\.0\.2\.15\/24[\s\S]*inet6 fd00::15\/64[\s\S]*default via 10\.0\.2\.2 dev web0/,
    );
    for (const port of [80, 81]) {
      await guest.start("web", [
        "/bin/busybox",
        "nc",
        "-ll",
        "-p",
        String(port),
        "-e",
        "/bin/echo",
        `port ${port}`,
      ]);
      // It has been started, but may not listen yet.
      const listens = `:${port.toString(16).padStart(4, "0")} .* 0A `;
      await guest.exec("web", `until grep -q '${listens}' /proc/net/tcp*; do usleep 50000; done`);
    }
    assert.equal(await hear(mapped, 60_000), "port 80\n");
    assert.equal(await hear(direct, 1500), "silence");
    await guest.ask(Command.KILLCONTAINER, { container: "web", signal: 9 });
    await guest.exited("web");
    await guest.ask(Command.DELETEINTERFACE, { device: "web0" });
    await assert.rejects(guest.ask(Command.DELETEINTERFACE, { device: "web0" }), /no such device/);
    await guest.powerOff();
  });

  it("limits a container, lists its processes, writes and reads its files, and brings a CPU online", async ({
    signal,
  }) => {
    await using place = await Workplace.create(signal);
    const hardware = { disks: await packRoot(place.folder), more: ["-smp", "1,maxcpus=2"] };
    await using guest = await DrivenGuest.boot(place.folder, hardware, signal);
    const text = async (code: number, payload: object) =>
      Buffer.from(await guest.ask(code, payload)).toString();
    await guest.ask(Command.GETVERSION);
    await guest.ask(Command.STARTPOD, { hostname: "pod" });
    const constraints = { CPUQuota: 50_000, CPUPeriod: 0, CPUShares: 1024 };
    await guest.ask(Command.NEWCONTAINER, { ...CONTAINER, constraints });
    assert.equal(
      await guest.exec(
        "web",
        "mkdir /tmp/cg && mount -t cgroup2 none /tmp/cg && cd /tmp/cg/husk/web && cat cpu.max cpu.weight",
      ),
      "50000 100000\n39\n",
    );
    const list = { container: "web", format: "json" };
    assert.deepEqual(parseListedPids(await guest.ask(PSCONTAINER, list)), [2]);
    assert.match(
      await text(PSCONTAINER, { ...list, format: "table" }),
      /^UID +PID +PPID +C +STIME +TTY +TIME +CMD\nroot +2 +0 .* \/bin\/sleep 1000\n$/,
    );
    await guest.ask(Command.WRITEFILE, encodeWriteFile("web", "/tmp/}", Buffer.from("}{")));
    assert.equal(await text(Command.READFILE, { container: "web", file: "/tmp/}" }), "}{");
    assert.match(await text(Command.READFILE, { container: "web", file: "/proc/version" }), /^Linux version/);
    const cpu = { driver: "max-x86_64-cpu", "socket-id": 0, "core-id": 1, "thread-id": 0 };
    await guest.monitor("device_add", cpu);
    // The kernel hears of it a little after QEMU has done it, and perhaps after this.
    await guest.ask(Command.ONLINECPUMEM);
    const online = "until grep -q 0-1 /sys/devices/system/cpu/online; do usleep 50000; done; echo there";
    assert.equal(await guest.exec("web", online), "there\n");
    await guest.powerOff();
  });
});

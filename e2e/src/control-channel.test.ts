import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { describe } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Command, encodeWriteFile, PSCONTAINER } from "@husk/wire/hyperstart";
import { BareGuest } from "./support/bare-guest.ts";
import { DEMO_ROOTFS } from "./support/places.ts";
import { it } from "./support/vm-test.ts";
import { Workplace } from "./support/workplace.ts";

/** Arguments for a disk with the demo's root, which the guest finds by its serial number. */
async function rootDisk(folder: string): Promise<string[]> {
  const image = join(folder, "root.erofs");
  await promisify(execFile)("mkfs.erofs", ["--quiet", image, DEMO_ROOTFS]);
  return [
    ...["-blockdev", `driver=raw,node-name=root,read-only=on,file.driver=file,file.filename=${image}`],
    ...["-device", "virtio-blk-pci,drive=root,serial=root"],
  ];
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

/** What somebody at a port of this host says, or "silence". */
async function hear(port: number): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let text = "";
  socket.on("data", (bytes) => {
    text += bytes;
  });
  socket.on("error", () => {});
  await Promise.race([once(socket, "close"), sleep(1500)]);
  socket.destroy();
  return text || "silence";
}

const container = (more: object) => ({
  id: "web",
  image: "root",
  fstype: "erofs",
  process: { id: "init", args: ["/bin/sleep", "1000"], stdio: 1, stderr: 2 },
  ...more,
});

describe("the agent in a VM, driven by its control channel", () => {
  it("plugs a network in and out, and maps ports to a container by real packets", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    await mkdir(place.root, { recursive: true });
    const [mapped, direct] = [await freePort(), await freePort()];
    const forwards = `hostfwd=tcp:127.0.0.1:${mapped}-10.0.2.15:8080,hostfwd=tcp:127.0.0.1:${direct}-10.0.2.15:81`;
    const slots = [1, 2].flatMap((slot) => [
      "-device",
      `pcie-root-port,id=slot${slot},chassis=${slot},slot=${slot}`,
    ]);
    await using guest = await BareGuest.boot(place.folder, [
      ...(await rootDisk(place.folder)),
      ...slots,
      ...["-netdev", `user,id=net,restrict=on,${forwards}`],
    ]);
    await guest.ask(Command.GETVERSION);
    await guest.monitor("device_add", {
      driver: "virtio-net-pci",
      netdev: "net",
      id: "nic",
      bus: "slot1",
      mac: "02:00:00:00:00:0a",
    });
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
    await guest.ask(Command.NEWCONTAINER, container({ ports }));
    assert.match(
      await guest.run("web", 11, "ip -o address show dev web0; ip route"),
      /inet 10\.0\.2\.15\/24[\s\S]*inet6 fd00::15\/64[\s\S]*default via 10\.0\.2\.2 dev web0/,
    );
    for (const port of [80, 81]) {
      const args = ["/bin/busybox", "nc", "-ll", "-p", String(port), "-e", "/bin/echo", `port ${port}`];
      const process = { id: `serve-${port}`, args, stdio: 100 + 2 * port, stderr: 101 + 2 * port };
      await guest.ask(Command.EXECCMD, { container: "web", process });
    }
    // The servers have been started, but may not listen yet.
    for (let round = 0; round < 20 && (await hear(mapped)) === "silence"; round++) await sleep(100);
    assert.equal(await hear(mapped), "port 80\n");
    assert.equal(await hear(direct), "silence");
    await guest.ask(Command.KILLCONTAINER, { container: "web", signal: 9 });
    await guest.until(() => guest.streams.get(1)?.at(-1)?.length === 0);
    await guest.ask(Command.DELETEINTERFACE, { device: "web0" });
    await assert.rejects(guest.ask(Command.DELETEINTERFACE, { device: "web0" }), /no such device/);
    await guest.ask(Command.DESTROYPOD);
    await guest.off();
  });

  it("lists processes, writes and reads files, and brings a CPU online", async ({ signal }) => {
    await using place = await Workplace.create(signal);
    await mkdir(place.root, { recursive: true });
    await using guest = await BareGuest.boot(place.folder, [
      ...(await rootDisk(place.folder)),
      ...["-smp", "1,maxcpus=2"],
    ]);
    await guest.ask(Command.GETVERSION);
    await guest.ask(Command.STARTPOD, { hostname: "pod" });
    await guest.ask(Command.NEWCONTAINER, container({}));
    assert.deepEqual(JSON.parse(await guest.ask(PSCONTAINER, { container: "web", format: "json" })), [2]);
    const table = await guest.ask(PSCONTAINER, { container: "web", format: "table" });
    assert.match(table, /^UID +PID +PPID +C +STIME +TTY +TIME +CMD\nroot +2 +0 .* \/bin\/sleep 1000\n$/);
    await guest.ask(Command.WRITEFILE, encodeWriteFile("web", "/tmp/}", Buffer.from("}{")));
    assert.equal(await guest.ask(Command.READFILE, { container: "web", file: "/tmp/}" }), "}{");
    assert.match(
      await guest.ask(Command.READFILE, { container: "web", file: "/proc/version" }),
      /^Linux version/,
    );
    const cpu = { driver: "max-x86_64-cpu", "socket-id": 0, "core-id": 1, "thread-id": 0 };
    await guest.monitor("device_add", cpu);
    // The kernel hears of it a little after QEMU has done it, and perhaps after this.
    await guest.ask(Command.ONLINECPUMEM);
    const online = "until grep -q 0-1 /sys/devices/system/cpu/online; do usleep 50000; done; echo there";
    assert.equal(await guest.run("web", 21, online), "there\n");
    await guest.ask(Command.DESTROYPOD);
    await guest.off();
  });
});

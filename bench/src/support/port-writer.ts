import { once } from "node:events";
import { readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { readBareVm, startBareVm, withKernelWords } from "./bare-vm.ts";
import type { BenchPlace } from "./bench-place.ts";
import { makeInitArchive } from "./guest-program.ts";
import { INITRAMFS, MODULE_ORDER } from "./places.ts";

/** amount of each run, in MiB */
export const AMOUNT = 128;
const MIB = 2 ** 20;

/** Boots a bare VM whose init writes to a virtio-serial port whenever it is asked to. */
export async function startPortWriter(
  place: BenchPlace,
): Promise<{ read(): Promise<number>; stop(): Promise<void> }> {
  const initramfs = join(place.folder, "port-writer.cpio");
  await writeFile(
    initramfs,
    Buffer.concat([readFileSync(INITRAMFS), makeInitArchive(place.folder, "port-writer")]),
  );
  const order: Record<string, string[]> = JSON.parse(readFileSync(MODULE_ORDER, "utf8"));
  const modules = new Set([...(order.virtio_pci ?? []), ...(order.virtio_console ?? [])]);
  const vm = withKernelWords(await readBareVm(place), ["--", String(AMOUNT), ...modules]);
  const path = join(place.folder, "port.sock");
  await rm(path, { force: true });
  const server = createServer().listen(path);
  const child = startBareVm(vm, [
    ...["-initrd", initramfs, "-serial", `file:${join(place.folder, "port-console")}`],
    ...["-device", "virtio-serial-pci", "-chardev", `socket,id=port,path=${path},server=off`],
    ...["-device", "virtserialport,nr=1,chardev=port"],
  ]);
  const [socket] = (await once(server, "connection")) as [Socket];
  server.close();
  return {
    async read() {
      const speed = measureSpeed(socket);
      socket.write("g");
      return speed;
    },
    async stop() {
      child.kill();
      await once(child, "exit");
      socket.destroy();
    },
  };
}

/** Reads the amount of one run and gives its speed in MB/s, from the first bytes to the last. */
export function measureSpeed(stream: Readable): Promise<number> {
  return new Promise((resolve, reject) => {
    let begin: number | undefined;
    let left = AMOUNT * MIB;
    const onData = (chunk: Buffer) => {
      begin ??= performance.now();
      left -= chunk.length;
      if (left > 0) return;
      stream.off("data", onData);
      stream.off("close", onClose);
      resolve((AMOUNT * MIB) / 1000 / (performance.now() - begin));
    };
    const onClose = () => reject(new Error(`the stream ended ${left} bytes too soon`));
    stream.on("data", onData);
    stream.on("close", onClose);
    stream.resume();
  });
}

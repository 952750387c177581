import { once } from "node:events";
import { rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { AgentService } from "@husk/wire/kata";
import {
  decodeMessage,
  encodeMessage,
  type Method,
  type MethodName,
  type RequestInitOf,
  type ResponseOf,
} from "@husk/wire/protobuf";
import { TtrpcClient } from "@husk/wire/ttrpc";
import { SendQueue, type YamuxEvent, YamuxSession } from "@husk/wire/yamux";
import { readBareVm, startBareVm, withMemory } from "./bare-vm.ts";
import type { BenchPlace } from "./bench-place.ts";
import { INITRAMFS } from "./places.ts";

/** memory of the guest: its files are in half of it */
const MEMORY = "512M";

/** A VM whose agent has its Kata door open, and one connection to it: no library in between. */
export class KataGuest implements AsyncDisposable {
  readonly #child: ReturnType<typeof startBareVm>;
  readonly #client: TtrpcClient;

  private constructor(child: ReturnType<typeof startBareVm>, socket: Socket) {
    this.#child = child;
    const yamux = new YamuxSession({ role: "client", sink: (frame) => socket.write(frame) });
    const stream = yamux.openStream();
    const queue = new SendQueue(stream);
    this.#client = new TtrpcClient({ send: (message) => void queue.push(message) });
    const take = (events: readonly YamuxEvent[]) => {
      for (const event of events) {
        if (event.kind === "failed") throw event.error;
        if (event.kind === "writable") queue.flush();
        if (event.kind !== "data") continue;
        stream.consume(event.data.length);
        this.#client.feed(event.data);
      }
    };
    socket.on("data", (bytes: Buffer) => take(yamux.feed(bytes)));
    socket.on("drain", () => take(yamux.resume()));
  }

  static async boot(place: BenchPlace): Promise<KataGuest> {
    const vm = withMemory(await readBareVm(place), MEMORY);
    const path = join(place.folder, "kata.sock");
    await rm(path, { force: true });
    const server = createServer().listen(path);
    const child = startBareVm(vm, [
      ...["-initrd", INITRAMFS, "-serial", `file:${join(place.folder, "kata-console")}`],
      ...["-device", "virtio-serial-pci", "-chardev", `socket,id=port,path=${path},server=off`],
      ...["-device", "virtserialport,nr=1,chardev=port,name=agent.channel.0"],
    ]);
    const [socket] = (await once(server, "connection")) as [Socket];
    server.close();
    return new KataGuest(child, socket);
  }

  /** Calls a method of the agent. */
  async call<Name extends MethodName<typeof AgentService>>(
    name: Name,
    request: RequestInitOf<typeof AgentService, Name>,
  ): Promise<ResponseOf<typeof AgentService, Name>> {
    const method = AgentService.methods[name] as Method;
    const payload = encodeMessage(method.request, request as object);
    const answer = await this.#client.call(AgentService.name, name, payload);
    return decodeMessage(method.response, answer) as ResponseOf<typeof AgentService, Name>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill();
    await once(this.#child, "exit");
  }
}

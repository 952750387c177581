import { createServer } from "node:http2";
import { GrpcVM } from "@husk/wire/kata";
import { encodeMessage } from "@husk/wire/protobuf";

/** A server of VMs that hands out what it does not have any more. */
export class LateKeeper implements AsyncDisposable {
  readonly #server = createServer();
  /** how often a VM was asked for */
  asked = 0;

  /** @param directory of the VM that is gone */
  static async listen(path: string, directory: string): Promise<LateKeeper> {
    const keeper = new LateKeeper();
    const hypervisor = Buffer.from(JSON.stringify({ Husk: { directory } }));
    const message = encodeMessage(GrpcVM, { hypervisor });
    const frame = Buffer.alloc(5);
    frame.writeUInt32BE(message.length, 1);
    keeper.#server.on("stream", (stream) => {
      keeper.asked += 1;
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(Buffer.concat([frame, message]));
    });
    await new Promise<void>((resolve) => keeper.#server.listen(path, resolve));
    return keeper;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

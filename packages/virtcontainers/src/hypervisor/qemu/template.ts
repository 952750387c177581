import { createWriteStream, renameSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { withDeadline } from "../../deadline.ts";
import { HuskError, messageOf } from "../../errors/index.ts";
import type { PodDirectory } from "../../store/pod-directory.ts";
import { INHERITED } from "./command-line.ts";
import { QmpClient, type QmpOptions } from "./qmp-client.ts";

/** Most bytes of the state of devices; what there is has some 150 KB. */
const MAX_STATE_BYTES = 64 * 1024 * 1024;

/**
 * Freezes a VM and saves the state of its devices, without its memory: that is in a file already. QEMU writes it to a socket,
 * as it may neither start a program nor be given a descriptor here.
 * @throws HuskError ERR_QMP, ERR_STORE, ERR_TIMEOUT, ERR_ABORTED
 */
export async function saveState(
  directory: PodDirectory,
  statePath: string,
  options: QmpOptions,
): Promise<void> {
  await using receiver = await StateReceiver.listen(directory.socket("state"), `${statePath}.new`);
  await QmpClient.use(directory.socket("qmp"), options, async (client) => {
    await client.execute({ execute: "stop" }, options);
    await migrate(client, { execute: "migrate", arguments: { uri: `unix:${receiver.path}` } }, options);
  });
  const what = "the state of the VM's devices";
  await withDeadline(receiver.received, { ms: options.timeoutMs, signal: options.signal, what });
  renameSync(`${statePath}.new`, statePath);
}

/** Loads the state that a VM has inherited, and lets the VM go on; throws as `saveState`. */
export async function loadState(qmpPath: string, options: QmpOptions): Promise<void> {
  await QmpClient.use(qmpPath, options, async (client) => {
    const uri = `fd:${INHERITED.state}`;
    await migrate(client, { execute: "migrate-incoming", arguments: { uri } }, options);
    await client.execute({ execute: "cont" }, options);
  });
}

type Migration = { execute: "migrate" | "migrate-incoming"; arguments: { uri: string } };

async function migrate(client: QmpClient, command: Migration, options: QmpOptions): Promise<void> {
  const capabilities = (["events", "x-ignore-shared"] as const).map((capability) => ({
    capability,
    state: true,
  }));
  await client.execute({ execute: "migrate-set-capabilities", arguments: { capabilities } }, options);
  const ended = (status: string) => status === "completed" || status === "failed";
  let outcome = "";
  const isEnd = ({ status }: { status: string }) => {
    outcome = status;
    return ended(status);
  };
  const end = client.nextEvent("MIGRATION", isEnd, options);
  end.catch(() => {});
  await client.execute(command, options);
  await end;
  if (outcome === "failed") {
    throw new HuskError("ERR_QMP", "QEMU could not save or load the state of the VM's devices");
  }
}

/** Takes what QEMU writes to a socket into a file. */
class StateReceiver implements AsyncDisposable {
  readonly path: string;
  readonly received: Promise<void>;
  readonly #close: () => void;

  private constructor(path: string, received: Promise<void>, close: () => void) {
    this.path = path;
    this.received = received;
    this.#close = close;
    received.catch(() => {});
  }

  /** @throws HuskError ERR_STORE */
  static async listen(path: string, file: string): Promise<StateReceiver> {
    rmSync(path, { force: true });
    const received = Promise.withResolvers<void>();
    const server = createServer((socket) => {
      server.close();
      pipeline(socket, bounded(), createWriteStream(file, { mode: 0o600 })).then(
        received.resolve,
        (error) => {
          const text = `cannot write ${file}: ${messageOf(error)}`;
          received.reject(new HuskError("ERR_STORE", text, { cause: error }));
        },
      );
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error) => {
        reject(
          new HuskError("ERR_STORE", `cannot make the socket ${path}: ${error.message}`, { cause: error }),
        );
      });
      server.listen(path, resolve);
    });
    return new StateReceiver(path, received.promise, () => server.close());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
    rmSync(this.path, { force: true });
  }
}

/** A VM that was broken into may say anything, without end. */
function bounded(): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > MAX_STATE_BYTES) done(new Error(`more than ${MAX_STATE_BYTES} bytes`));
      else done(null, chunk);
    },
  });
}

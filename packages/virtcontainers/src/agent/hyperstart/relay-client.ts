import type { Socket } from "node:net";
import { Command, ControlDecoder, encodeStream } from "@husk/wire/hyperstart";
import { withDeadline } from "../../deadline.ts";
import { HuskError, isHuskError } from "../../errors/index.ts";
import type { PodDirectory } from "../../store/pod-directory.ts";
import { connectSocket } from "../socket.ts";
import { decodeToken } from "./relay-token.ts";

/**
 * Connects to the process that holds the agent's channels. It says READY with a token; an empty stream frame with that
 * number tells it which stream connection belongs to which control connection. From then on it is as if it were the agent.
 * @returns undefined when nobody relays
 * @throws HuskError ERR_ABORTED, ERR_TIMEOUT, ERR_AGENT_PROTOCOL
 */
export async function connectRelay(
  directory: PodDirectory,
  options: { signal?: AbortSignal | undefined; timeoutMs: number },
): Promise<{ control: Socket; stream: Socket } | undefined> {
  const { signal, timeoutMs: ms } = options;
  let control: Socket | undefined;
  let stream: Socket | undefined;
  try {
    control = await connectSocket(directory.socket("relayControl"), signal);
    const token = await withDeadline(readToken(control), { ms, signal, what: "the relay's READY" });
    stream = await connectSocket(directory.socket("relayStream"), signal);
    stream.write(encodeStream(token));
    return { control, stream };
  } catch (error) {
    control?.destroy();
    stream?.destroy();
    if (isHuskError(error)) throw error;
    return undefined;
  }
}

function readToken(socket: Socket): Promise<number> {
  const decoder = new ControlDecoder({ maxFrameBytes: 64 });
  return new Promise((resolve, reject) => {
    const settle = (action: () => void) => {
      socket.off("data", onData);
      socket.off("close", onClose);
      socket.off("error", onClose);
      socket.pause();
      action();
    };
    const onClose = () => settle(() => reject(new Error("the relay has ended")));
    const onData = (chunk: Buffer) => {
      try {
        const [frame] = decoder.push(chunk);
        if (!frame) return;
        if (frame.command !== Command.READY) throw new Error("the relay did not say READY");
        const token = decodeToken(frame.payload);
        settle(() => resolve(token));
      } catch (error) {
        const problem = new HuskError(
          "ERR_AGENT_PROTOCOL",
          "what relays the agent's channels does not know how",
          { cause: error },
        );
        settle(() => reject(problem));
      }
    };
    socket.on("data", onData);
    socket.once("close", onClose);
    socket.once("error", onClose);
  });
}

import type { Socket } from "node:net";
import type { ChannelWays } from "../channel.ts";
import { connectSocket } from "../socket.ts";
import { connectRelay } from "./relay-client.ts";

/** The two channels of the agent. */
export interface Channels {
  readonly control: Socket;
  readonly stream: Socket;
}

/** The ways to hyperstart's channels. */
export const CHANNEL_WAYS: ChannelWays<Channels> = {
  async connectVm(directory, signal) {
    const control = await connectSocket(directory.socket("control"), signal);
    try {
      return { control, stream: await connectSocket(directory.socket("stream"), signal) };
    } catch (error) {
      control.destroy();
      throw error;
    }
  },
  connectRelay,
};

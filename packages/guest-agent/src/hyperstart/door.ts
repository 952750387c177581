/** hyperstart's door, on two channels. */

import { callSoon } from "@husk/tiny";
import { Command } from "@husk/wire/hyperstart";
import { type CommandHandlers, Server } from "./server.ts";

/** Where the two channels are, and what it means that they, or the pod, have ended. */
export interface HyperstartHost {
  control: number;
  stream: number;
  onGone(): void;
  powerOff(): void;
}

type Send = Server["send"];

/** Says READY and serves. */
export function serveHyperstart({ control, ...host }: HyperstartHost): void {
  const send: Send = (command, payload) => server.send(command, payload);
  const server = new Server(control, loadCommands(host, send), host.onGone);
  send(Command.READY);
}

/** All but the queue of commands is read into memory while READY is on its way to the host, and its answer is on its way back. */
async function loadCommands(host: Omit<HyperstartHost, "control">, send: Send): Promise<CommandHandlers> {
  await new Promise<void>(callSoon);
  const { makeCommands } = await import("./commands.ts");
  return makeCommands({ ...host, send });
}

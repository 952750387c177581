/** The commands by their codes. Reference: hyperstart.md 2. */
import { makeDirectories } from "@husk/tiny";
import { CLEARPOD, Command, PSCONTAINER, RENEW } from "@husk/wire/hyperstart";
import { StreamChannel } from "../core/stream-channel.ts";
import { HostDialect } from "./dialects.ts";
import { lookForDevices, onlineCpuMemory, ping, renew } from "./machine-commands.ts";
import { deleteInterface, setupInterface, setupRoute } from "./network-commands.ts";
import { type Agent, PodCommands } from "./pod-commands.ts";
import type { CommandHandler, CommandHandlers } from "./server.ts";

/** What the commands work on; the dialect is found out by them. */
interface AgentParts extends Omit<Agent, "dialect" | "streams"> {
  /** descriptor of the stream channel */
  stream: number;
  /** called when the stream channel has ended */
  onGone(): void;
}

/** Makes the commands' handlers. */
export function makeCommands({ stream, onGone, ...parts }: AgentParts): CommandHandlers {
  makeDirectories("/run/husk");
  const host = new HostDialect();
  const pod = new PodCommands({
    ...parts,
    streams: new StreamChannel(stream, onGone),
    get dialect() {
      return host.current;
    },
  });
  const handlers: [code: number, handler: CommandHandler][] = [
    [Command.GETVERSION, () => pod.getVersion()],
    [Command.STARTPOD, (payload) => pod.startPod(payload)],
    [Command.GETPOD, () => pod.getPod()],
    [Command.DESTROYPOD, () => pod.destroyPod()],
    [Command.EXECCMD, (payload) => pod.exec(payload)],
    [Command.READY, lookForDevices],
    [Command.WINSIZE, (payload) => pod.resize(payload)],
    [Command.PING, ping],
    [Command.WRITEFILE, (payload) => pod.writeFile(payload)],
    [Command.READFILE, (payload) => pod.readFile(payload)],
    [Command.NEWCONTAINER, (payload) => pod.newContainer(payload)],
    [Command.KILLCONTAINER, (payload) => pod.kill(payload)],
    [Command.ONLINECPUMEM, onlineCpuMemory],
    [Command.SETUPINTERFACE, setupInterface],
    [Command.SETUPROUTE, setupRoute],
    [Command.REMOVECONTAINER, (payload) => pod.remove(payload)],
    [PSCONTAINER, (payload) => pod.listProcesses(payload)],
    [Command.SIGNALPROCESS, (payload) => pod.signalProcess(payload)],
    [Command.DELETEINTERFACE, deleteInterface],
    [RENEW, renew],
    [CLEARPOD, () => pod.clearPod()],
  ];
  return new Map(
    handlers.map(([code, handler]) => [
      code,
      (payload) => {
        host.observe(code, payload);
        return handler(payload);
      },
    ]),
  );
}

/** The methods about processes of containers and their streams. Reference: virtcontainers.md 8.2. */

import type { AgentService, ReadStreamRequest } from "@husk/wire/kata";
import { specFault } from "../core/oci/spec-fault.ts";
import type { KataContainer } from "./kata-container.ts";
import type { KataProcess } from "./kata-process.ts";
import { TailedMessage } from "./pipe-tail.ts";
import type { KataSandbox } from "./sandbox.ts";
import type { Call, Methods } from "./services.ts";

/** What an id of a process may look like: it is only a key. */
const PROCESS_ID = /^[ -~]{1,128}$/;
const MAX_SIGNAL = 64;
/** Field of a ReadStreamResponse. */
const DATA = 1;
/** Largest side of a terminal, in characters. */
const MAX_SIDE = 0xffff;

interface Which {
  containerId: string;
  execId: string;
}

/** The container and the process that a request is about; without a name it is the first one. */
function find(sandbox: KataSandbox, { containerId, execId }: Which): [KataContainer, KataProcess] {
  const container = sandbox.lastingContainer(containerId);
  return [container, execId === "" ? container.init : container.process(execId)];
}

function signal(sandbox: KataSandbox, which: Which, number: number): void {
  if (number > MAX_SIGNAL) throw specFault(`${number} is not a signal`);
  const [container, process] = find(sandbox, which);
  if (which.execId === "") {
    if (!container.container.running) return;
    const effective = process.effectiveSignal(number);
    if (effective !== number) process.signal(effective, false);
    container.container.signal(number, true);
  } else if (process === container.init) process.signal(process.effectiveSignal(number), false);
  // What a shell has started in the foreground goes with it.
  else process.signal(number, true);
}

async function read(
  sandbox: KataSandbox,
  { len: length, acknowledged, resume, ...which }: ReadStreamRequest,
  call: Call,
  stream: "readStdout" | "readStderr",
): Promise<{ data: Uint8Array } | TailedMessage> {
  const [container, process] = find(sandbox, which);
  try {
    const position = acknowledged === undefined ? undefined : Number(acknowledged);
    const data = await process.streams[stream]({ length, acknowledged: position, resume }, call);
    return data instanceof Uint8Array ? { data } : new TailedMessage(DATA, data);
  } finally {
    container.forgetRead(process);
  }
}

export function processMethods(sandbox: KataSandbox) {
  return {
    ExecProcess: async (request) => {
      if (request.stdinPort || request.stdoutPort || request.stderrPort)
        throw specFault("a vsock port for a stream is not supported");
      const container = sandbox.container(request.containerId);
      if (!PROCESS_ID.test(request.execId)) throw specFault("exec_id must be 1 to 128 printable characters");
      await container.exec(request);
      return {};
    },
    SignalProcess: (request) => {
      signal(sandbox, request, request.signal);
      return {};
    },
    WaitProcess: async (request, call) => {
      const [container, process] = find(sandbox, request);
      const status = await process.wait(call);
      container.forgetEnded(process);
      return { status };
    },
    WriteStdin: async ({ data, ...which }, call) => {
      const len = data.length;
      await find(sandbox, which)[1].streams.writeStdin(data, call);
      return { len };
    },
    ReadStdout: (request, call) => read(sandbox, request, call, "readStdout"),
    ReadStderr: (request, call) => read(sandbox, request, call, "readStderr"),
    CloseStdin: (request) => {
      find(sandbox, request)[1].streams.closeStdin();
      return {};
    },
    TtyWinResize: ({ row, column, ...which }) => {
      if (Math.max(row, column) > MAX_SIDE) throw specFault(`${row} × ${column} characters are too many`);
      find(sandbox, which)[1].process.resize(row, column);
      return {};
    },
  } satisfies Methods<typeof AgentService>;
}

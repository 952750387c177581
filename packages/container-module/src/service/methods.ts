import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import type { ContainerModule } from "../types.ts";
import type { OutputName } from "./messages.ts";
import type { MethodParams } from "./method-params.ts";
import type { RunningCall } from "./running-call.ts";

/** Version of the protocol that clients are told. */
export const PROTOCOL_VERSION = 1;

/** Does what a call asks for; its result is plain JSON. */
type Answer<Params> = (module: ContainerModule, params: Params, call: RunningCall) => Promise<unknown>;

/** Methods that go on as long as something else does: the service's end ends them. */
export const STREAMS: readonly string[] = ["logs", "exec"] satisfies (keyof MethodParams)[];

/** The service's methods. */
export const METHODS: { readonly [Name in keyof MethodParams]: Answer<MethodParams[Name]> } = {
  version: async () => ({ version: PROTOCOL_VERSION }),

  run: (module, { ns, name, flist, tags, env, network, mounts, entrypoint, options }, { signal }) =>
    module.run(ns, name, flist, tags ?? [], env ?? [], network, mounts ?? [], entrypoint ?? "", {
      ...options,
      signal,
    }),

  inspect: (module, { ns, id }, { signal }) => module.inspect(ns, id, { signal }),

  delete: (module, { ns, id, options }, { signal }) => module.delete(ns, id, { ...options, signal }),

  list: (module, { ns }, { signal }) => module.list(ns, { signal }),

  logs: async (module, { ns, id, options }, call) => {
    for await (const data of module.logs(ns, id, { ...options, signal: call.signal })) {
      if (call.signal.aborted) return;
      await call.writeOutput("stdout", data);
    }
  },

  exec: async (module, { ns, id, args, options }, call) => {
    using process = await module.exec(ns, id, args, { ...options, signal: call.signal });
    call.tellStarted();
    // A program may end without reading all of its input.
    process.stdin.on("error", () => call.input.destroy());
    call.input.pipe(process.stdin);
    call.onResize((size) => process.resize(size));
    await Promise.all([
      sendOutput(process.stdout, "stdout", call),
      sendOutput(process.stderr, "stderr", call),
    ]);
    return process.wait();
  },
};

async function sendOutput(output: Readable, name: OutputName, call: RunningCall): Promise<void> {
  output.on("data", (data: Uint8Array) => {
    output.pause();
    void call.writeOutput(name, data).then(() => output.resume());
  });
  // Why output has ended too soon is told by the end of its process.
  await finished(output).catch(() => {});
}

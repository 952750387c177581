import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { isHuskError } from "@husk/virtcontainers";
import { makeTempDirectory } from "../testing/temp-directory.ts";
import { ShimExec } from "./shim-exec.ts";
import { answerTimeoutMs } from "./timeouts.ts";

test("an exec that is aborted is let go of when its shim says nothing", async (t) => {
  const path = join(makeTempDirectory(t), "socket");
  const server = createServer((socket) => socket.on("error", () => {}));
  t.after(() => server.close());
  await once(server.listen(path), "listening");
  const call = { method: "exec" as const, args: ["true"] };
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const [controller, connected] = [new AbortController(), once(server, "connection")];
  const started = ShimExec.start(path, call, (error) => error, controller.signal);
  const [socket] = (await connected) as [Socket];
  t.after(() => socket.destroy());
  // Its call has come, and what follows is the signal.
  await once(socket, "data");
  controller.abort();
  await once(socket, "data");
  const gone = once(socket, "close", { signal: AbortSignal.timeout(60_000) });
  const refused = assert.rejects(started, (error) => isHuskError(error, "ERR_ABORTED"));
  t.mock.timers.tick(answerTimeoutMs());
  await Promise.all([gone, refused]);
});

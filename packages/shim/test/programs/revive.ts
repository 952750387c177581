/** Revives the proxy of a `proxy.json`, so many times at once, and tells what became of it, as JSON. */
import * as sys from "tiny:sys";
import { errorText, run, writeAll } from "@husk/tiny";
import { proxyPid, reviveProxy } from "../../src/core/revive-proxy.ts";

const [, path = "", count = "1", lost] = sys.argv;

async function revive(): Promise<unknown> {
  try {
    return await reviveProxy(path, lost === undefined ? undefined : Number(lost));
  } catch (error) {
    return errorText(error);
  }
}

function pid(): unknown {
  try {
    return proxyPid(path) ?? null;
  } catch (error) {
    return errorText(error);
  }
}

const openDescriptors = () => sys.readdir("/proc/self/fd").length;

run(async () => {
  const found = await Promise.all(Array.from({ length: Number(count) }, revive));
  const before = openDescriptors();
  await revive();
  writeAll(1, sys.encodeUtf8(JSON.stringify({ found, pid: pid(), leaked: openDescriptors() - before })));
});

import { join } from "node:path";
import { CollectedOutput } from "./collected-output.ts";
import { spawnIn, type TestNamespace } from "./network-namespaces.ts";

const NAME_SERVER = join(import.meta.dirname, "name-server-worker.ts");

/** Answers every request with its path. */
const WEB_SERVER = `require("http").createServer((request, response) => response.end(request.url))
  .listen(80, "::", () => console.log("listening"))`;

/** Starts a name server in a namespace that gives every name these addresses. It ends when this is disposed of. */
export function serveNames(
  namespace: TestNamespace,
  host: string,
  ipv4: string,
  ipv6: string,
): Promise<Disposable> {
  return serve(namespace, [NAME_SERVER, host, "53", ipv4, ipv6]);
}

/** Starts a web server in a namespace that answers with the path that it was asked for. */
export function serveWeb(namespace: TestNamespace): Promise<Disposable> {
  return serve(namespace, ["--eval", WEB_SERVER]);
}

async function serve(namespace: TestNamespace, words: readonly string[]): Promise<Disposable> {
  const child = spawnIn(namespace, [process.execPath, ...words]);
  await new CollectedOutput(child.stdout).waitFor(/listening/);
  return { [Symbol.dispose]: () => void child.kill() };
}

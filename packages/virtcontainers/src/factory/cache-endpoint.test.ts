import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { isHuskError } from "../errors/index.ts";
import { needsRoot } from "../testing/needs-root.ts";
import { makeTempRoot } from "../testing/temp-root.ts";
import { CacheEndpoint } from "./cache-endpoint.ts";

const LIMITS = { timeoutMs: 5000 };

/** Whether it is told where the trouble is, and what to do. */
function tells(error: unknown, code: string): boolean {
  return isHuskError(error, "ERR_STORE") && error.message.includes(code) && error.hint.length > 0;
}

/** A directory of our own that nobody can write to. */
function mountReadOnly(context: TestContext): string {
  const path = join(makeTempRoot(context, async () => void execFileSync("umount", [path])).base, "run");
  mkdirSync(path);
  execFileSync("mount", ["-t", "tmpfs", "-o", "mode=700", "tmpfs", path]);
  execFileSync("mount", ["-o", "remount,ro", path]);
  return path;
}

test("an endpoint is one server's, and leaves nothing", async (context) => {
  const { root } = makeTempRoot(context);
  const path = join(root, "cache.sock");
  const endpoint = await CacheEndpoint.claim(path);
  await assert.rejects(CacheEndpoint.claim(path), { code: "ERR_CACHE_IN_USE" });
  const free = CacheEndpoint.waitUntilFree(path, LIMITS);
  endpoint.release();
  await free;
  assert.deepEqual(readdirSync(root), []);
  (await CacheEndpoint.claim(path)).release();
});

test("a lock that cannot be opened is told, and what to do", async (context) => {
  const { root } = makeTempRoot(context);
  mkdirSync(root, { mode: 0o700 });
  const path = join(root, "cache.sock");
  mkdirSync(`${path}.lock`);
  await assert.rejects(CacheEndpoint.claim(path), (error) => tells(error, "EISDIR"));
  await assert.rejects(CacheEndpoint.waitUntilFree(path, LIMITS), (error) => tells(error, "EISDIR"));
});

test("so is one where nothing can be written", needsRoot, async (context) => {
  const folder = mountReadOnly(context);
  await assert.rejects(CacheEndpoint.claim(join(folder, "other.sock")), (error) => tells(error, "EROFS"));
});

test("so is one of another user's", needsRoot, async (context) => {
  const { base } = makeTempRoot(context);
  const module = JSON.stringify(join(import.meta.dirname, "cache-endpoint.ts"));
  const folder = join(base, "own");
  mkdirSync(folder, { mode: 0o700 });
  chmodSync(base, 0o755);
  execFileSync("chown", ["12345", folder]);
  // Its lock is root's: nobody else can open it.
  execFileSync("install", ["-m", "600", "/dev/null", join(folder, "cache.sock.lock")]);
  const program = `const { CacheEndpoint } = await import(${module});
    process.seteuid(12345);
    await CacheEndpoint.claim(${JSON.stringify(join(folder, "cache.sock"))}).catch((error) => {
      process.stdout.write(error.code + " " + error.message + " " + error.hint);
    });`;
  const said = execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
  assert.match(said, /^ERR_STORE .*cache\.sock\.lock cannot be made: EACCES.* Check owner, mode/);
});

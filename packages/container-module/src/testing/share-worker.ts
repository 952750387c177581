/** A process that shares a root: `node share-worker.ts REFERENCE CACHE ALLOWED`. Prints its path, and holds it until stdin ends. */
import { shareRoot } from "../sources/root-cache.ts";

const [reference = "", cacheDirectory = "", allowed = ""] = process.argv.slice(2);
const root = await shareRoot(reference, { cacheDirectory, allowedStores: [allowed] });
process.stdout.write(`${root.path}\n`);
process.stdin.resume().once("end", () => process.exit(0));

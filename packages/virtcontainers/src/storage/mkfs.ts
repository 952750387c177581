import { spawn } from "node:child_process";
import { abortError, throwIfAborted } from "../deadline.ts";
import { HuskError } from "../errors/index.ts";

const MAX_WORDS_BYTES = 4096;

/**
 * Packs a directory into an erofs image by mkfs.erofs, uncompressed: a decompressor costs the guest more than the disk.
 * @throws HuskError ERR_ROOTFS_BUILD with the program's own words, ERR_ABORTED
 */
export function runMkfs(image: string, directory: string, signal?: AbortSignal | undefined): Promise<void> {
  throwIfAborted(signal);
  const child = spawn("mkfs.erofs", ["--quiet", "--preserve-mtime", image, directory], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  return new Promise((resolve, reject) => {
    let words = "";
    child.stderr.on("data", (chunk: Buffer) => {
      words = (words + chunk.toString()).slice(-MAX_WORDS_BYTES);
    });
    const onAbort = () => child.kill("SIGKILL");
    signal?.addEventListener("abort", onAbort, { once: true });
    child.once("error", (error) => {
      reject(
        new HuskError("ERR_ROOTFS_BUILD", `mkfs.erofs cannot be run: ${error.message}`, { cause: error }),
      );
    });
    child.once("close", (code) => {
      signal?.removeEventListener("abort", onAbort);
      if (code === 0) resolve();
      else if (signal?.aborted) reject(abortError(signal));
      else
        reject(
          new HuskError(
            "ERR_ROOTFS_BUILD",
            `${directory} cannot be packed: ${words.trim() || `status ${code}`}`,
          ),
        );
    });
  });
}

import { HuskError } from "@husk/virtcontainers";
import { runCommand } from "@husk/virtcontainers/internals";
import { isRoot } from "./attributes.ts";

/** A file that is none: a device or a fifo. */
export interface SpecialFile {
  readonly kind: "block" | "character" | "fifo" | "socket";
  readonly device?: { readonly major: number; readonly minor: number } | undefined;
}

const LETTERS = { block: "b", character: "c", fifo: "p" } as const;

/**
 * Makes a device or a fifo, by mknod(1): Node cannot. Nobody but us may use it until it has its own mode.
 * @returns why it was left out, if it was
 * @throws HuskError ERR_ROOTFS_BUILD, ERR_ABORTED
 */
export async function makeSpecialFile(
  path: string,
  { kind, device }: SpecialFile,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  if (kind === "socket") return "a socket that nobody listens on";
  if (kind !== "fifo" && !isRoot()) return "a device, which only root can make";
  const numbers = device && kind !== "fifo" ? [String(device.major), String(device.minor)] : [];
  const failure = await runCommand("mknod", ["--mode=0600", path, LETTERS[kind], ...numbers], { signal });
  if (failure !== undefined) throw new HuskError("ERR_ROOTFS_BUILD", `${path} cannot be made: ${failure}`);
  return undefined;
}

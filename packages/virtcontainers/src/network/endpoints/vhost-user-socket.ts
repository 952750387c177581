import { lstatSync, type Stats } from "node:fs";
import { join } from "node:path";

/** Where programs that speak vhost-user have their sockets, by virtcontainers' convention. */
const VHOST_USER_BASE = "/tmp";

/**
 * The socket of the vhost-user program that serves a link with an address, `/tmp/vhostuser_<address>/vhu.sock`. `/tmp` is
 * everybody's: one that is not root's or ours is left alone, for it would get all that the pod sends.
 * @param base instead of `/tmp`
 */
export function findVhostUserSocket(
  addresses: readonly string[],
  base = VHOST_USER_BASE,
): string | undefined {
  return addresses.flatMap((address) => {
    const directory = join(base, `vhostuser_${address}`);
    const socket = join(directory, "vhu.sock");
    const [parent, found] = [statOf(directory), statOf(socket)];
    const isServed = parent?.isDirectory() && isTrusted(parent) && found?.isSocket() && isTrusted(found);
    return isServed ? [socket] : [];
  })[0];
}

function statOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/** Others cannot have made it, nor put another in its place. */
function isTrusted(stats: Stats): boolean {
  const isOwned = stats.uid === 0 || stats.uid === process.getuid?.();
  return isOwned && (!stats.isDirectory() || (stats.mode & 0o022) === 0);
}

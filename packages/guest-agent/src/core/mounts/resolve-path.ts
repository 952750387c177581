/** Most links on one way, as in the kernel. */
const MAX_LINKS = 40;

/**
 * Where a path leads whose root is `root`: through links, but neither they nor `..` lead out. It is what the kernel does
 * in a chroot, but for the links of /proc, which it follows to wherever they are; here they are texts like any other.
 * What is not there stays as it is written.
 *
 * @param root a folder, without a slash at its end; `""` is /
 * @param readLink gives the text of a link, or undefined for what is none, or is not there
 * @throws Error for a path with too many links
 */
export function resolvePath(
  root: string,
  path: string,
  readLink: (path: string) => string | undefined,
): string {
  const ahead = path.split("/").reverse();
  let found: string[] = [];
  let links = 0;
  for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
    if (name === "" || name === ".") continue;
    if (name === "..") {
      found.pop();
      continue;
    }
    const target = readLink([root, ...found, name].join("/"));
    if (target === undefined) {
      found.push(name);
      continue;
    }
    links++;
    if (links > MAX_LINKS) throw new Error(`"${path}" goes through more than ${MAX_LINKS} links`);
    if (target.startsWith("/")) found = [];
    ahead.push(...target.split("/").reverse());
  }
  return [root, ...found].join("/") || "/";
}

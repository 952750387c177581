import { errorText, writeControl } from "@husk/tiny";

/** The path of a kernel parameter below /proc/sys. A name whose first separator is a slash may have dots in its words (sysctl(8)). */
export function sysctlPath(name: string): string {
  const words = /^[^./]*\//.test(name) ? name.split("/") : name.split(".");
  if (words.some((word) => word === "" || word === "." || word === ".." || word.includes("/")))
    throw new Error(`sysctl "${name}" is not a name`);
  return words.join("/");
}

/**
 * Sets kernel parameters, those of the namespaces that the calling child is in and those of the whole guest.
 *
 * @param folder /proc/sys, as the child sees it
 * @throws Error naming the first one that the kernel does not take
 */
export function setSysctls(sysctls: Iterable<[name: string, value: string]>, folder = "/proc/sys"): void {
  for (const [name, value] of sysctls) {
    const path = `${folder}/${sysctlPath(name)}`;
    try {
      writeControl(path, value);
    } catch (error) {
      throw new Error(`sysctl ${name}=${value}: ${errorText(error)}`);
    }
  }
}

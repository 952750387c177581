import { errorText, writeControl } from "@husk/tiny";

/** The path of a kernel parameter. A name whose first separator is a slash may have dots in its words (sysctl(8)). */
function sysctlPath(name: string): string {
  const words = /^[^./]*\//.test(name) ? name.split("/") : name.split(".");
  if (words.some((word) => word === "" || word === "." || word === ".." || word.includes("/")))
    throw new Error(`sysctl "${name}" is not a name`);
  return `/proc/sys/${words.join("/")}`;
}

/**
 * Sets kernel parameters, those of the namespaces that the calling child is in and those of the whole guest.
 *
 * @throws Error naming the first one that the kernel does not take
 */
export function setSysctls(sysctls: Record<string, string>): void {
  for (const [name, value] of Object.entries(sysctls)) {
    const path = sysctlPath(name);
    try {
      writeControl(path, value);
    } catch (error) {
      throw new Error(`sysctl ${name}=${value}: ${errorText(error)}`);
    }
  }
}

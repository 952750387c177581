import { readFileSync } from "node:fs";
import { runCommand } from "@husk/virtcontainers/internals";

/** Unmounts what is mounted on directories of one name somewhere below another, wherever those have been moved to meanwhile. */
export async function unmountIn(base: string, name: string): Promise<void> {
  const lines = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const points = lines.map((line) => line.split(" ")[4] ?? "");
  for (const point of points.filter((path) => path.startsWith(`${base}/`) && path.endsWith(`/${name}`)))
    await runCommand("umount", ["--lazy", point], {});
}

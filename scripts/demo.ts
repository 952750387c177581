// `npm start`: boots a virtual machine, runs a container in it and shows where the time went.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

const output = join(import.meta.dirname, "../build");

const SCRIPT = `
set -e
echo "kernel:    $(uname -srm)"
echo "hostname:  $(hostname)"
echo "processes:"
ps -o pid,user,args
echo "written by the container, gone with it" > /root/note
echo "a file:    $(cat /root/note)"
`;

console.log("husk: booting a virtual machine and running a container from build/rootfs/busybox in it\n");
const args = [
  "run",
  "--rm",
  "--timings",
  "--rootfs",
  join(output, "rootfs/busybox"),
  "--",
  "/bin/sh",
  "-c",
  SCRIPT,
];
const child = spawn(process.execPath, [join(output, "husk.cjs"), ...args], { stdio: "inherit" });
// Ctrl-C reaches husk by itself, as it is in the same process group; this one stays for its exit code.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => child.kill("SIGTERM"));
const [code] = (await once(child, "exit")) as [number | null];
process.exitCode = code ?? 1;

import { type Command, Option } from "commander";
import { addDetachOptions, checkDetachOptions } from "../options/detach-options.ts";
import { addNetworkOptions } from "../options/network-options.ts";
import { FACTORY_KINDS } from "../options/pod-options.ts";
import { addProcessOptions } from "../options/process-options.ts";
import { addResourceOptions } from "../options/resource-options.ts";
import { addStorageOptions } from "../options/storage-options.ts";
import { addVmOptions } from "../options/vm-options.ts";
import { PhaseLog } from "../output/phase-log.ts";
import { type RunOptions, runContainer } from "../run-container.ts";
import { runDetached } from "../run-detached.ts";
import type { CommandContext } from "./command-context.ts";

const HELP = `
Exit status: the command's own, 128+N when signal N ended it; 126 when it cannot be executed, 127 when there is no such
command; 125 when husk itself fails, be it for a wrong option.

Networks: none, the default, for code that you do not trust: the container reaches nobody. user: QEMU's own network; the container
reaches what the host reaches (the host's own services, too, as 10.0.2.2), and is reached by published ports only; needs no root.
cni: the first network in /etc/cni/net.d, or those named, as eth0, eth1, …. ns: what somebody has put into a network namespace.

Limits (--cpu-limit, --memory-limit, --pids-limit, …) are the container's, and need the Kata agent; --cpus and --memory are the VM's,
which gets beside them what the container may use. husk update changes both.

With -d, husk ends as soon as the command has begun. Its output goes into a log (husk logs), of which the oldest is thrown away when it
grows too long; husk attach ties a terminal to it, with -i its input, too; husk wait waits for its end. When it ends, so does the VM.

With --factory template the VM begins as a copy of one that has booted (husk factory), with cache it is one that waits (husk cache), with
cache+template a copy that waits, or else a new one. When none can be had it boots, and a warning says why.

Without -t, signals (Ctrl-C, too) are passed on to the command; with -it, every key is.

Environment: HUSK_ROOT, HUSK_CACHE (state and cache), HUSK_KERNEL, HUSK_INITRAMFS (the guest), HUSK_QEMU (the program),
HUSK_FACTORY, HUSK_CACHE_ENDPOINT (where VMs come from), HUSK_ACCEL (kvm or tcg), HUSK_DEADLINE_FACTOR (1 or more, for slow machines).

Examples:
  husk run --rm -- uname -a
  husk run -it --rm -- sh
  husk run --rm --rootfs ./rootfs -e LANG=C -w /srv -u nobody -- ./server --port 80
  husk run --rm -v ./data:/data:ro --tmpfs /tmp:size=16m -- ls /data
  husk run --rm --network user -p 127.0.0.1:8080:80 -- httpd -f -h /etc
  husk run --rm --network cni=blue,green -- ip address
  tar c . | husk run -i --rm -- tar t
  husk run --rm --agent kata -- sh -c 'grep Cap /proc/self/status'
  husk run --rm --factory template -- true
  husk run --rm --factory cache+template -- true
  husk run -d --name web --network user -p 8080:80 -- httpd -f -h /etc
  husk run --rm --timings -- true`;

/** Adds `husk run`. */
export function addRunCommand(program: Command, context: CommandContext): void {
  const command = program
    .command("run")
    .summary("run a command in a new container, in its own VM")
    .description(
      "Boots a small VM, runs a command in a container in it, and ends the VM when the command ends.",
    )
    .usage("[options] -- CMD ARG…")
    .argument("[command...]", "the command and its arguments")
    .passThroughOptions();
  addVmOptions(
    addResourceOptions(addNetworkOptions(addStorageOptions(addDetachOptions(addProcessOptions(command))))),
  )
    .option("--rootfs <DIR|IMAGE>", "root file system: a directory, or an image (default: a small busybox)")
    .option("--name <NAME>", "name of the pod (default: made up)")
    .option("--hostname <NAME>", "host name in the container (default: the pod's name)")
    .option("--rm", "forget the pod when the command has ended")
    .option("--read-only", "the container cannot write to its root file system")
    .addOption(
      new Option(
        "--factory <KIND>",
        "where the VM comes from: it boots, is a copy of a template, or waits in a cache",
      )
        .choices(FACTORY_KINDS)
        .env("HUSK_FACTORY"),
    )
    .addOption(
      new Option(
        "--cache-endpoint <PATH>",
        "socket of the cache's server (default: cache.sock in HUSK_ROOT)",
      ).env("HUSK_CACHE_ENDPOINT"),
    )
    .option("--timings", "print where the time went, on stderr")
    .option("--timings=json", "the same as one line of JSON")
    .addHelpText("after", HELP)
    .action(async (args: string[], options: RunOptions) => {
      const log = new PhaseLog();
      log.record("husk-loaded");
      checkDetachOptions(options);
      context.exitWith(await (options.detach ? runDetached : runContainer)(args, options, log));
    });
}

import { CONSOLE_PLACE, PID_FILE_PLACE, PROCESS_PLACE } from "@husk/wire/module-shim";
import { mountOverlay, unmountOverlay } from "../rootfs/overlay.ts";
import { checkCpus } from "./check-cpus.ts";
import { specifyContainer } from "./specification.ts";
import type { Backend } from "./types.ts";

/** What runtimes look for beside themselves. */
const ENVIRONMENT = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"];
const COMMAND_TIMEOUT_MS = 60_000;

/**
 * Containers by an OCI runtime with runc's command line, on an overlay of their root file systems.
 * @param runtime absolute path of the program
 */
export function ociBackend(runtime: string): Backend {
  return {
    record: { kind: "oci", runtime },
    check: ({ cpus }) => checkCpus(cpus),
    prepare: (places, { command }, { signal }) => mountOverlay(places, command.root, signal),
    specify: ({ rootfs }, record) => specifyContainer(record, { path: rootfs, readonly: false }),
    commands({ name, bundle, pidFile, runtimeLog, runtimeRoot }) {
      const command = (...words: string[]) => [
        ...[runtime, "--root", runtimeRoot, "--log", runtimeLog, "--log-format", "json"],
        ...words,
      ];
      const exec = (...words: string[]) =>
        command("exec", "--detach", ...words, "--process", PROCESS_PLACE, "--pid-file", PID_FILE_PLACE, name);
      return {
        // Each namespace has a directory of its own there.
        runtimeId: name,
        create: command("create", "--bundle", bundle, "--pid-file", pidFile, name),
        start: command("start", name),
        kill: command("kill", name),
        delete: command("delete", "--force", name),
        exec: exec(),
        execTerminal: exec("--console-socket", CONSOLE_PLACE),
        environment: ENVIRONMENT,
        commandTimeoutMs: COMMAND_TIMEOUT_MS,
      };
    },
    release: unmountOverlay,
  };
}

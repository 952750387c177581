import { createHash } from "node:crypto";
import { join } from "node:path";
import { containerExitFile, deadlineFactor } from "@husk/virtcontainers/internals";
import { PID_FILE_PLACE, PROCESS_PLACE, SIGNAL_PLACE } from "@husk/wire/module-shim";
import type { CompleteRecord } from "../state/record.ts";
import { checkCpus } from "./check-cpus.ts";
import { RESOLV_CONF, specifyContainer } from "./specification.ts";
import type { Backend } from "./types.ts";

/** What the runtime looks for beside itself. */
const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** Variables that say where husk has its things, and how its VMs are. */
const SETTINGS = /^(HUSK_(?!ROOT$|POD$)\w+|HOME|XDG_CACHE_HOME|XDG_RUNTIME_DIR|TMPDIR)$/;
/** Milliseconds that a command may take, on a machine that runs VMs quickly: a boot, and the packing of a root file system. */
const COMMAND_TIMEOUT_MS = 60_000;
/** State directory of the library, beside what is in the module's run directory. */
const STATE_DIRECTORY = "vm";
/** Characters of a name that are in the id of its pod. */
const NAME_LENGTH = 40;
const HASH_LENGTH = 16;

/**
 * Containers in VMs, by `husk-vm-runtime`. What they write to their root file systems is kept in their VMs' memory, until they end.
 * @param runtime absolute path of that program
 */
export function vmBackend(runtime: string): Backend {
  return {
    record: { kind: "vm", runtime },
    check: ({ cpus }) => checkCpus(cpus),
    // The root file system is packed, and written to in the VM: nothing is mounted here.
    async prepare() {},
    specify: (_places, record) => withoutVainNames(record),
    commands({ ns, name, bundle, pidFile, runtimeLog, runtimeRoot }) {
      const id = podId(`${ns}/${name}`, name);
      // One for all namespaces, so that they have templates, and a cache, in common.
      const root = join(runtimeRoot, "../..", STATE_DIRECTORY);
      const command = (...words: string[]) => [
        ...[runtime, "--root", root, "--log", runtimeLog, "--log-format", "json"],
        ...words,
      ];
      const exec = command("exec", "--detach", "--process", PROCESS_PLACE, "--pid-file", PID_FILE_PLACE, id);
      return {
        runtimeId: id,
        create: command("create", "--bundle", bundle, "--pid-file", pidFile, id),
        start: command("start", id),
        kill: command("kill", id),
        delete: command("delete", "--force", id),
        exec,
        execTerminal: exec,
        // The host cannot end what runs in a VM.
        killExec: command("kill", "--pid-file", PID_FILE_PLACE, id, SIGNAL_PLACE),
        environment: environment(),
        exitFile: containerExitFile(root, id, id),
        commandTimeoutMs: COMMAND_TIMEOUT_MS * deadlineFactor("tcg"),
      };
    },
    async release() {},
  };
}

/** Without a network nobody can be asked for names, and a file that says whom costs the VM a share with the host. */
function withoutVainNames(record: CompleteRecord) {
  const spec = specifyContainer(record, { path: record.command.root, readonly: false });
  const { networkPath, mounts } = record;
  if (networkPath !== undefined || mounts.some(({ target }) => target === RESOLV_CONF)) return spec;
  return { ...spec, mounts: spec.mounts?.filter(({ destination }) => destination !== RESOLV_CONF) ?? [] };
}

/** Names may be longer than ids of pods, some are reserved there, and each is one only in its namespace. */
function podId(fullName: string, name: string): string {
  const hash = createHash("sha256").update(fullName).digest("hex").slice(0, HASH_LENGTH);
  return `${name.slice(0, NAME_LENGTH)}-${hash}`;
}

function environment(): string[] {
  const settings = Object.entries(process.env).filter(([name, value]) => value && SETTINGS.test(name));
  return [PATH, "LC_ALL=C", ...settings.map(([name, value]) => `${name}=${value}`)];
}

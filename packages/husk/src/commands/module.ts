import type { Command } from "commander";
import { execInModule, type ModuleExecOptions } from "../module/exec-in-module.ts";
import { callModule } from "../module/module-call.ts";
import { type ModuleRmOptions, removeContainers } from "../module/remove-containers.ts";
import { serveModule } from "../module/serve-module.ts";
import { type ModuleLogsOptions, showModuleLogs } from "../module/show-module-logs.ts";
import { collect } from "../options/collect.ts";
import { parseTail } from "../options/log-options.ts";
import { addModuleOptions, type ModulePlaceOptions } from "../options/module-options.ts";
import {
  addContainerOptions,
  type ContainerOptions,
  makeEntrypoint,
  makeMounts,
  makeNetwork,
  makeRunOptions,
  makeSource,
} from "../options/module-run-options.ts";
import { parsePositive } from "../options/numbers.ts";
import { renderContainer, renderContainers } from "../output/container-table.ts";
import { UsageError } from "../usage-error.ts";
import type { CommandContext } from "./command-context.ts";
import * as help from "./module-help.ts";

/** Adds `husk module` and its own commands. */
export function addModuleCommand(program: Command, context: CommandContext): void {
  const group = program
    .command("module")
    .summary("run containers as 0-OS does")
    .description("Runs containers that outlive whoever started them: the container module of 0-OS.")
    .addHelpText("after", help.MODULE);
  addServeCommand(group);
  addRunCommand(group, context);
  addInspectCommand(group, context);
  addListCommand(group, context);
  addLogsCommand(group, context);
  addExecCommand(group, context);
  addRmCommand(group, context);
}

function addServeCommand(group: Command): void {
  addModuleOptions(group.command("serve").summary("serve the module on a socket"))
    .description("Serves the module to other processes, until a signal ends it; containers go on.")
    .addHelpText("after", help.SERVE)
    .action((options: ModulePlaceOptions) => serveModule(options));
}

function addRunCommand(group: Command, context: CommandContext): void {
  const command = group
    .command("run")
    .summary("create a container and start it")
    .description("Creates a container, starts it, and prints its id.")
    .usage("[options] NS NAME SOURCE [-- CMD ARG…]")
    .argument("<ns>", "namespace of the name: that of a tenant")
    .argument("<container>", "the name")
    .argument("<source>", "flist, OCI image layout or directory that its root file system is made of")
    .argument("[command...]", "the words of the entrypoint");
  addModuleOptions(addContainerOptions(command))
    .addHelpText("after", help.RUN)
    .action(
      async (
        ns: string,
        name: string,
        source: string,
        words: string[],
        options: ContainerOptions & ModulePlaceOptions,
      ) => {
        const entrypoint = makeEntrypoint(options.entrypoint, words);
        const { tag = [], env = [] } = options;
        const [network, mounts] = [makeNetwork(options.netns), makeMounts(options.mount)];
        const limits = makeRunOptions(options);
        const status = await callModule(options, async (module, signal) => {
          const own = { ...limits, signal };
          const root = makeSource(source);
          const id = await module.run(ns, name, root, tag, env, network, mounts, entrypoint, own);
          process.stdout.write(`${id}\n`);
          return undefined;
        });
        context.exitWith(status);
      },
    );
}

function addInspectCommand(group: Command, context: CommandContext): void {
  addModuleOptions(group.command("inspect").summary("tell all about a container"))
    .description("Tells what a container was made of, and what has become of it.")
    .argument("<ns>", "namespace")
    .argument("<container>", "the container")
    .option("--json", "print a JSON object")
    .addHelpText("after", help.INSPECT)
    .action(async (ns: string, name: string, options: ModulePlaceOptions & { json?: boolean }) => {
      const status = await callModule(options, async (module, signal) => {
        const info = await module.inspect(ns, name, { signal });
        process.stdout.write(options.json ? toJson(info) : renderContainer(info, new Date()));
        return undefined;
      });
      context.exitWith(status);
    });
}

function addListCommand(group: Command, context: CommandContext): void {
  addModuleOptions(group.command("list").alias("ls").summary("list containers"))
    .description("Lists the containers, of one namespace or of all.")
    .argument("[ns]", "namespace")
    .option("-q, --quiet", "NS/NAME only")
    .option("--json", "print an array of JSON objects")
    .addHelpText("after", help.LIST)
    .action(
      async (ns: string | undefined, options: ModulePlaceOptions & { json?: boolean; quiet?: boolean }) => {
        const status = await callModule(options, async (module, signal) => {
          const infos = await module.list(ns, { signal });
          if (options.json) process.stdout.write(toJson(infos));
          else if (options.quiet)
            process.stdout.write(infos.map(({ name, ours }) => `${ours.ns}/${name}\n`).join(""));
          else process.stdout.write(renderContainers(infos, new Date()));
          return undefined;
        });
        context.exitWith(status);
      },
    );
}

function addLogsCommand(group: Command, context: CommandContext): void {
  addModuleOptions(group.command("logs").summary("print what a container has written"))
    .description("Prints what a container has written on stdout and stderr, in the order in which it came.")
    .argument("<ns>", "namespace")
    .argument("<container>", "the container")
    .option("-f, --follow", "go on with what comes until the container has ended")
    .option("-n, --tail <N>", "begin with the last N lines (default: all)", parseTail)
    .addHelpText("after", help.LOGS)
    .action(async (ns: string, name: string, options: ModuleLogsOptions) => {
      context.exitWith(await showModuleLogs(ns, name, options));
    });
}

function addExecCommand(group: Command, context: CommandContext): void {
  addModuleOptions(group.command("exec").summary("run one more command in a container"))
    .description("Runs one more command in a container that runs.")
    .usage("[options] NS NAME -- CMD ARG…")
    .argument("<ns>", "namespace")
    .argument("<container>", "the container")
    .argument("[command...]", "the command and its arguments")
    .option("-i, --interactive", "pass stdin to the command")
    .option("-t, --tty", "give the command a terminal (stdin must be one, too)")
    .option("-e, --env <NAME=VALUE>", "set an environment variable (repeatable)", collect)
    .option("-w, --workdir <DIR>", "working directory in the container")
    .option("--timeout <SECONDS>", "kill the command after that long", parsePositive)
    .addHelpText("after", help.EXEC)
    .action(async (ns: string, name: string, args: string[], options: ModuleExecOptions) => {
      if (args.length === 0) throw new UsageError("no command given", "put it last: … -- CMD ARG…");
      context.exitWith(await execInModule(ns, name, args, options));
    });
}

function addRmCommand(group: Command, context: CommandContext): void {
  addModuleOptions(group.command("rm").summary("delete containers"))
    .description("Deletes containers: running ones are ended first, by SIGTERM, then by SIGKILL. Logs stay.")
    .argument("<ns>", "namespace")
    .argument("<container...>", "the containers")
    .option("-f, --force", "a container that does not exist is no error")
    .option("--grace <SECONDS>", "time between SIGTERM and SIGKILL (default: 3)", parsePositive)
    .option("--log", "delete the logs, too")
    .addHelpText("after", help.RM)
    .action(async (ns: string, names: string[], options: ModuleRmOptions) => {
      context.exitWith(await removeContainers(ns, names, options));
    });
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

import { createTemplate, destroyTemplates, listTemplates, type TemplateStatus } from "@husk/virtcontainers";
import type { Command } from "commander";
import { makeVmConfig } from "../options/pod-options.ts";
import { addVmOptions, type VmOptions } from "../options/vm-options.ts";
import { renderTemplates } from "../output/template-table.ts";

const HELP = `
A template is a VM that has booted once, its memory in a file. VMs that begin with it are there in a tenth of a second, and share
the memory that they do not write to. husk run --factory template makes the template that it needs, if there is none.

Memory that is shared can tell one VM what another one has in it, by how long it takes to read or write it: do not use templates
for tenants that must not learn anything of each other.

Examples:
  husk factory init
  husk run --rm --factory template -- true
  husk factory status
  husk factory destroy`;

const INIT_HELP = `
The options must be those of the husk run that is to use it: VMs of another size or agent need another template.

Examples:
  husk factory init
  husk factory init --agent kata --memory 512 --cpus 2`;

const STATUS_HELP = `
Examples:
  husk factory status
  husk factory status --json`;

const DESTROY_HELP = `
Examples:
  husk factory destroy`;

interface StatusOptions {
  json?: boolean;
}

/** Adds `husk factory` and its own commands. */
export function addFactoryCommand(program: Command): void {
  const group = program
    .command("factory")
    .summary("make VMs ready before they are asked for")
    .description("Makes, lists and removes templates: VMs that have booted, for others to begin with.")
    .addHelpText("after", HELP);
  addVmOptions(group.command("init").summary("make a template, unless there is one"))
    .description("Boots a VM, freezes it, and keeps it as a template.")
    .option("--json", "print the template as a JSON object")
    .addHelpText("after", INIT_HELP)
    .action(async (options: VmOptions & StatusOptions) => {
      const template = await createTemplate(makeVmConfig("template", options, true, process.env));
      process.stdout.write(options.json ? toJson(template) : renderTemplates([template], new Date()));
    });
  group
    .command("status")
    .summary("list templates")
    .description("Lists the templates, the newest first.")
    .option("--json", "print an array of JSON objects")
    .option("--debug", "show more of errors")
    .addHelpText("after", STATUS_HELP)
    .action(async ({ json }: StatusOptions) => {
      const templates = await listTemplates();
      process.stdout.write(json ? toJson(templates) : renderTemplates(templates, new Date()));
    });
  group
    .command("destroy")
    .summary("remove all templates")
    .description("Removes all templates, and what was left by who died while making one. VMs that run go on.")
    .option("--debug", "show more of errors")
    .addHelpText("after", DESTROY_HELP)
    .action(async () => {
      const count = await destroyTemplates();
      process.stdout.write(`${count} ${count === 1 ? "template" : "templates"} removed\n`);
    });
}

function toJson(value: TemplateStatus | readonly TemplateStatus[]): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

import type { Progress, UnpackResult } from "@husk/container-module";
import type { Command } from "commander";
import { collect } from "../options/collect.ts";
import { parseTags } from "../options/flist-tags.ts";
import { formatBytes } from "../output/bytes.ts";
import { describeFlist, renderFlist } from "../output/flist-table.ts";
import { printable } from "../output/printable.ts";
import { ProgressLine } from "../terminal/progress-line.ts";
import { SignalTrap, statusOfSignal } from "../terminal/signals.ts";
import { UsageError } from "../usage-error.ts";
import type { CommandContext } from "./command-context.ts";

const HELP = `
Examples:
  husk flist pack rootfs alpine.fl --store dir:///srv/blocks
  husk flist ls alpine.fl
  husk flist unpack alpine.fl rootfs --allow dir:///srv/blocks`;

const PACK_HELP = `
A store is dir:///DIRECTORY or zdb://[:PASSWORD@]HOST[:PORT][/NAMESPACE]; START-END=URL gives it only the blocks whose ids
begin with those two digits each (base 16). --route says where others find the blocks of a store, one for each --store.

Examples:
  husk flist pack rootfs alpine.fl --store dir:///srv/blocks
  husk flist pack rootfs alpine.fl --store dir:///srv/blocks --route https://example.org/blocks
  husk flist pack rootfs alpine.fl --store 00-7f=zdb://one:9900/flists --store 80-ff=zdb://two:9900/flists`;

const LIST_HELP = `
Nothing is asked of any store.

Examples:
  husk flist ls alpine.fl
  husk flist ls --json alpine.fl | jq '.entries[].path'`;

const UNPACK_HELP = `
The source is an flist (a file or an http(s) address) or an OCI image layout (its directory, or DIRECTORY:TAG). Of the stores
that an flist names only those are asked whose address begins with one that --allow gives. --store is asked first, whatever
the flist says.

Examples:
  husk flist unpack alpine.fl rootfs --allow dir:///srv/blocks
  husk flist unpack https://hub.example.org/alpine.fl rootfs --allow zdb://hub.example.org
  husk flist unpack layout:latest rootfs`;

/** Adds `husk flist` and its own commands. */
export function addFlistCommand(program: Command, context: CommandContext): void {
  const group = program
    .command("flist")
    .summary("pack, list and unpack flists")
    .description("Packs directories into flists of 0-OS (.fl) and stores of blocks, and unpacks them.")
    .addHelpText("after", HELP);
  addPackCommand(group, context);
  addListCommand(group);
  addUnpackCommand(group, context);
}

/** Options of `husk flist pack`. */
interface PackFlags {
  readonly store?: string[];
  readonly route?: string[];
  readonly tag?: string[];
  readonly json?: boolean;
}

function addPackCommand(group: Command, context: CommandContext): void {
  group
    .command("pack")
    .summary("pack a directory")
    .description("Packs a directory: its files into stores, all else into an flist.")
    .argument("<directory>", "what to pack")
    .argument("<file>", "the flist to make")
    .option("--store <URL>", "a store that gets the blocks (repeatable)", collect)
    .option("--route <URL>", "where others find the blocks of that store (repeatable)", collect)
    .option("--tag <KEY=VALUE>", "describe the whole (repeatable)", collect)
    .option("--json", "print a JSON object")
    .option("--debug", "show more of errors")
    .addHelpText("after", PACK_HELP)
    .action(async (directory: string, file: string, { store, route, tag, json }: PackFlags) => {
      if (!store)
        throw new UsageError("no store is named", "husk flist pack DIRECTORY FILE --store dir:///srv/blocks");
      const tags = parseTags(tag ?? []);
      const { packFlist } = await import("@husk/container-module");
      const result = await withProgress("packing", context, (signal, onProgress) =>
        packFlist(directory, file, { stores: store, routes: route, tags, signal, onProgress }),
      );
      if (!result) return;
      const { entries, bytes, blocks, sealedBytes } = result;
      const told = `${entries} entries with ${formatBytes(bytes)} in ${blocks} blocks of ${formatBytes(sealedBytes)}`;
      process.stdout.write(json ? `${JSON.stringify(result)}\n` : `packed ${told}\n`);
    });
}

function addListCommand(group: Command): void {
  group
    .command("ls")
    .summary("list what an flist has")
    .description("Lists the files of an flist, the stores that have their blocks, and its tags.")
    .argument("<file>", "the flist")
    .option("--json", "print a JSON object")
    .option("--debug", "show more of errors")
    .addHelpText("after", LIST_HELP)
    .action(async (file: string, { json }: { json?: boolean }) => {
      const { readFlist } = await import("@husk/container-module");
      const flist = readFlist(file);
      process.stdout.write(json ? `${JSON.stringify(describeFlist(flist), null, 2)}\n` : renderFlist(flist));
    });
}

/** Options of `husk flist unpack`. */
interface UnpackFlags {
  readonly allow?: string[];
  readonly store?: string[];
  readonly json?: boolean;
}

function addUnpackCommand(group: Command, context: CommandContext): void {
  group
    .command("unpack")
    .summary("unpack an flist")
    .description("Unpacks an flist, or an OCI image layout, into a new directory.")
    .argument("<source>", "the flist or layout")
    .argument("<directory>", "the directory to make")
    .option("--allow <URL>", "stores that the flist may name begin so (repeatable)", collect)
    .option("--store <URL>", "a store to ask first (repeatable)", collect)
    .option("--json", "print a JSON object")
    .option("--debug", "show more of errors")
    .addHelpText("after", UNPACK_HELP)
    .action(async (reference: string, directory: string, { allow, store, json }: UnpackFlags) => {
      const { openSource, unpackTo } = await import("@husk/container-module");
      const result = await withProgress("unpacking", context, async (signal, onProgress) => {
        using source = await openSource(reference, { allowedStores: allow, stores: store, signal });
        if (source.kind === "directory") throw new UsageError(`${reference} is a directory already`);
        // Awaited here, because the source goes when this function ends.
        return await unpackTo(source, directory, { signal, onProgress });
      });
      if (result) tellUnpacked(result, directory, json);
    });
}

function tellUnpacked(result: UnpackResult, directory: string, json = false): void {
  for (const what of result.leftOut) process.stderr.write(`husk: left out: ${printable(what)}\n`);
  const told = `unpacked ${result.entries} entries with ${formatBytes(result.bytes)} into ${printable(directory)}\n`;
  process.stdout.write(json ? `${JSON.stringify(result)}\n` : told);
}

/** Does long work, shows how far it is, and ends it when a signal asks for that: then there is no result. */
async function withProgress<T>(
  verb: string,
  context: CommandContext,
  work: (signal: AbortSignal, onProgress: (progress: Progress) => void) => Promise<T>,
): Promise<T | undefined> {
  using trap = new SignalTrap();
  using line = new ProgressLine(process.stderr, verb);
  try {
    return await work(trap.signal, (progress) => line.show(progress));
  } catch (error) {
    if (!trap.caught) throw error;
    context.exitWith(statusOfSignal(trap.caught));
    return undefined;
  }
}

import type { Command } from "commander";

/** What completion needs to know of an option. */
interface CompletionOption {
  /** `-t` */
  readonly short?: string | undefined;
  /** `--tty` */
  readonly long?: string | undefined;
  readonly description: string;
  /** whether an argument follows */
  readonly takesValue: boolean;
  /** the values it takes, if they are few */
  readonly values: readonly string[];
}

/** What completion needs to know of a command. */
export interface CompletionCommand {
  /** `rm`; of a command of a group, with the group's name: `network rm` */
  readonly name: string;
  readonly summary: string;
  readonly options: readonly CompletionOption[];
  /** what its first argument is */
  readonly operand: "pod" | "value" | "none";
  /** the values of its first argument, if they are few */
  readonly values: readonly string[];
  /** the commands of a group; a group has nothing else */
  readonly commands: readonly CompletionCommand[];
}

/** Reads the commands and options out of the command line's own definition. */
export function readCommandTree(program: Command, group = ""): CompletionCommand[] {
  return program.commands.map((command) => {
    const name = `${group}${command.name()}`;
    const first = command.registeredArguments[0];
    const values = first?.argChoices ?? [];
    const operand = values.length > 0 ? "value" : first?.name() === "name" ? "pod" : "none";
    return {
      name,
      summary: command.summary(),
      options: readOptions(command),
      operand,
      values,
      commands: readCommandTree(command, `${name} `),
    };
  });
}

function readOptions(command: Command): CompletionOption[] {
  const help = { short: "-h", long: "--help", description: "display help", takesValue: false, values: [] };
  const own = command.options.map(({ short, long, description, required, argChoices }) => {
    return { short, long, description, takesValue: required, values: argChoices ?? [] };
  });
  return [...own, help];
}

/** The commands that do something: those of groups in the place of their groups. */
export function doers(commands: readonly CompletionCommand[]): CompletionCommand[] {
  return commands.flatMap((command) => (command.commands.length > 0 ? doers(command.commands) : [command]));
}

/** The name of a command without its group's. */
export function ownName({ name }: CompletionCommand): string {
  return name.slice(name.lastIndexOf(" ") + 1);
}

/** All spellings of a command's options. */
export function optionWords({ options }: CompletionCommand): string[] {
  return options.flatMap(({ short, long }) => [short, long]).filter((word) => word !== undefined);
}

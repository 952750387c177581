import { Argument, type Command } from "commander";
import { readCommandTree } from "../completion/command-tree.ts";
import { renderCompletion, SHELLS, type Shell } from "../completion/shells.ts";

const HELP = `
Examples:
  source <(husk completion bash)
  husk completion zsh > ~/.zsh/_husk
  husk completion fish | source`;

/** Adds `husk completion`. */
export function addCompletionCommand(program: Command): void {
  program
    .command("completion")
    .summary("print a completion script for a shell")
    .description("Prints a script that completes husk's commands, options and pods in a shell.")
    .addArgument(new Argument("<shell>", "the shell").choices(SHELLS))
    .addHelpText("after", HELP)
    .action((shell: Shell) => {
      process.stdout.write(renderCompletion(shell, readCommandTree(program)));
    });
}

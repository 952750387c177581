import { type CompletionCommand, optionWords } from "./command-tree.ts";

/** A shell that completion can be written for. */
export type Shell = "bash" | "zsh" | "fish";
export const SHELLS = ["bash", "zsh", "fish"] as const satisfies readonly Shell[];

/** Writes the completion script of a shell. */
export function renderCompletion(shell: Shell, commands: readonly CompletionCommand[]): string {
  if (shell === "fish") return renderFish(commands);
  return shell === "bash" ? renderBash(commands) : renderZsh(commands);
}

function renderBash(commands: readonly CompletionCommand[]): string {
  return `# husk completion for bash: source <(husk completion bash)
_husk() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]} words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(" ")}" -- "$current"))
    return
  fi
  case "$command:$previous" in
${commands.flatMap(bashValues).join("\n")}
  esac
  case "$command:$current" in
${commands.map((command) => `    ${command.name}:-*) words="${optionWords(command).join(" ")}" ;;`).join("\n")}
${commands.flatMap(bashOperands).join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _husk husk
`;
}

function bashValues({ name, options }: CompletionCommand): string[] {
  const takers = options.filter(({ takesValue }) => takesValue);
  return takers.map(({ short, long, values }) => {
    const patterns = [short, long].filter((word) => word !== undefined).map((word) => `${name}:${word}`);
    const reply =
      values.length === 0 ? "" : `COMPREPLY=($(compgen -W "${values.join(" ")}" -- "$current")); `;
    return `    ${patterns.join("|")}) ${reply}return ;;`;
  });
}

function bashOperands({ name, operand, values }: CompletionCommand): string[] {
  if (operand === "pod") return [`    ${name}:*) words="$(husk ps -aq 2>/dev/null)" ;;`];
  return operand === "value" ? [`    ${name}:*) words="${values.join(" ")}" ;;`] : [];
}

function renderZsh(commands: readonly CompletionCommand[]): string {
  const names = commands.map(({ name, summary }) => `    ${quote(`${name}:${summary}`)}`).join("\n");
  return `#compdef husk
# husk completion for zsh: source <(husk completion zsh)
_husk_pods() { compadd -- \${(f)"$(husk ps -aq 2>/dev/null)"} }
_husk() {
  local -a commands
  commands=(
${names}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  shift words
  (( CURRENT-- ))
  case $words[1] in
${commands.map(zshCommand).join("\n")}
  esac
}
compdef _husk husk
`;
}

function zshCommand({ name, options, operand, values }: CompletionCommand): string {
  const specs = options.flatMap(({ short, long, description, takesValue, values }) => {
    const value = takesValue ? `:value:${values.length > 0 ? `(${values.join(" ")})` : "_files"}` : "";
    const text = description.replaceAll(/[[\]:]/g, " ");
    return [short, long]
      .filter((word) => word !== undefined)
      .map((word) => quote(`*${word}[${text}]${value}`));
  });
  const rest =
    operand === "pod"
      ? "*:pod:_husk_pods"
      : operand === "value"
        ? `1:value:(${values.join(" ")})`
        : "*::command:_normal";
  return `    ${name}) _arguments ${specs.join(" ")} ${quote(rest)} ;;`;
}

function renderFish(commands: readonly CompletionCommand[]): string {
  const lines = commands.flatMap((command) => [
    `complete -c husk -n __fish_use_subcommand -f -a ${command.name} -d ${quote(command.summary)}`,
    ...command.options.map((option) => {
      const short = option.short === undefined ? "" : ` -s ${option.short.slice(1)}`;
      const long = option.long === undefined ? "" : ` -l ${option.long.slice(2)}`;
      const values = option.values.length > 0 ? ` -f -a ${quote(option.values.join(" "))}` : "";
      const value = option.takesValue ? ` -r${values}` : "";
      return `complete ${fishSeen(command)}${short}${long}${value} -d ${quote(option.description)}`;
    }),
    ...(command.operand === "pod" ? [`complete ${fishSeen(command)} -f -a '(husk ps -aq 2>/dev/null)'`] : []),
    ...(command.operand === "value"
      ? [`complete ${fishSeen(command)} -f -a ${quote(command.values.join(" "))}`]
      : []),
  ]);
  return `# husk completion for fish: husk completion fish | source\n${lines.join("\n")}\n`;
}

function fishSeen({ name }: CompletionCommand): string {
  return `-c husk -n '__fish_seen_subcommand_from ${name}'`;
}

/** Quotes text for a shell; backslashes stay as they are, since none of ours has one. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "’")}'`;
}

import { type CompletionCommand, doers, optionWords, ownName } from "./command-tree.ts";

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
  case "$command" in
${groupsOf(commands).map(bashGroup).join("\n")}
  esac
  case "$command:$previous" in
${doers(commands).flatMap(bashValues).join("\n")}
  esac
  case "$command:$current" in
${doers(commands).map(bashOptions).join("\n")}
${doers(commands).flatMap(bashOperands).join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _husk husk
`;
}

function groupsOf(commands: readonly CompletionCommand[]): CompletionCommand[] {
  return commands.filter((command) => command.commands.length > 0);
}

function bashGroup({ name, commands }: CompletionCommand): string {
  return `    ${name})
      if [ "$COMP_CWORD" -eq 2 ]; then
        COMPREPLY=($(compgen -W "${commands.map(ownName).join(" ")}" -- "$current"))
        return
      fi
      command="${name} \${COMP_WORDS[2]}" ;;`;
}

function bashOptions(command: CompletionCommand): string {
  return `    "${command.name}":-*) words="${optionWords(command).join(" ")}" ;;`;
}

function bashValues({ name, options }: CompletionCommand): string[] {
  const takers = options.filter(({ takesValue }) => takesValue);
  return takers.map(({ short, long, values }) => {
    const patterns = [short, long].filter((word) => word !== undefined).map((word) => `"${name}":${word}`);
    const reply =
      values.length === 0 ? "" : `COMPREPLY=($(compgen -W "${values.join(" ")}" -- "$current")); `;
    return `    ${patterns.join("|")}) ${reply}return ;;`;
  });
}

function bashOperands({ name, operand, values }: CompletionCommand): string[] {
  if (operand === "pod") return [`    "${name}":*) words="$(husk ps -aq 2>/dev/null)" ;;`];
  return operand === "value" ? [`    "${name}":*) words="${values.join(" ")}" ;;`] : [];
}

function renderZsh(commands: readonly CompletionCommand[]): string {
  return `#compdef husk
# husk completion for zsh: source <(husk completion zsh)
_husk_pods() { compadd -- \${(f)"$(husk ps -aq 2>/dev/null)"} }
_husk() {
  local -a commands
  commands=(
${commands.map(zshDescription).join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  shift words
  (( CURRENT-- ))
  case $words[1] in
${groupsOf(commands).map(zshGroup).join("\n")}
  esac
  case $words[1] in
${doers(commands).map(zshCommand).join("\n")}
  esac
}
compdef _husk husk
`;
}

function zshDescription(command: CompletionCommand): string {
  return `    ${quote(`${ownName(command)}:${command.summary}`)}`;
}

function zshGroup({ name, commands }: CompletionCommand): string {
  return `    ${name})
      commands=(
${commands.map(zshDescription).join("\n")}
      )
      if (( CURRENT == 2 )); then
        _describe command commands
        return
      fi
      shift words
      (( CURRENT-- ))
      words[1]="${name} $words[1]" ;;`;
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
  return `    "${name}") _arguments ${specs.join(" ")} ${quote(rest)} ;;`;
}

function renderFish(commands: readonly CompletionCommand[]): string {
  const groups = groupsOf(commands);
  const firsts = commands.map((command) => fishWord("__fish_use_subcommand", command));
  const seconds = groups.flatMap(({ name, commands: own }) => {
    const seen = "__fish_seen_subcommand_from";
    const condition = quote(`${seen} ${name}; and not ${seen} ${own.map(ownName).join(" ")}`);
    return own.map((command) => fishWord(condition, command));
  });
  const lines = doers(commands).flatMap((command) => [
    ...command.options.map((option) => {
      const short = option.short === undefined ? "" : ` -s ${option.short.slice(1)}`;
      const long = option.long === undefined ? "" : ` -l ${option.long.slice(2)}`;
      const values = option.values.length > 0 ? ` -f -a ${quote(option.values.join(" "))}` : "";
      const value = option.takesValue ? ` -r${values}` : "";
      return `complete ${fishSeen(command, groups)}${short}${long}${value} -d ${quote(option.description)}`;
    }),
    ...(command.operand === "pod"
      ? [`complete ${fishSeen(command, groups)} -f -a '(husk ps -aq 2>/dev/null)'`]
      : []),
    ...(command.operand === "value"
      ? [`complete ${fishSeen(command, groups)} -f -a ${quote(command.values.join(" "))}`]
      : []),
  ]);
  return `# husk completion for fish: husk completion fish | source\n${[...firsts, ...seconds, ...lines].join("\n")}\n`;
}

function fishWord(condition: string, command: CompletionCommand): string {
  return `complete -c husk -n ${condition} -f -a ${ownName(command)} -d ${quote(command.summary)}`;
}

/** A command of a group may have the name of one that is in none. */
function fishSeen({ name }: CompletionCommand, groups: readonly CompletionCommand[]): string {
  const homonyms = groups.filter(({ commands }) => commands.some((command) => ownName(command) === name));
  const seen = name.split(" ").map((word) => `__fish_seen_subcommand_from ${word}`);
  const others = homonyms.map((group) => `not __fish_seen_subcommand_from ${group.name}`);
  return `-c husk -n '${[...seen, ...others].join("; and ")}'`;
}

/** Quotes text for a shell; backslashes stay as they are, since none of ours has one. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "’")}'`;
}

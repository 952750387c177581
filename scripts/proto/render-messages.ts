import type { ProtoEnum, ProtoField, ProtoFile, ProtoMessage } from "./parse-proto.ts";

/** Kinds of `messageType`'s layout, and what TypeScript has for them. */
const SCALARS: Readonly<Record<string, readonly [kind: string, type: string]>> = {
  string: ["s", "string"],
  bytes: ["b", "Uint8Array"],
  bool: ["t", "boolean"],
  uint32: ["u", "number"],
  int32: ["i", "number"],
  uint64: ["U", "bigint"],
  int64: ["I", "bigint"],
};
const RULES = { "": "", optional: "?", repeated: "*", map: "%" } as const;

/** Where a type is defined. */
interface Definition {
  /** file's name */
  file: string;
  /** name in TypeScript */
  name: string;
  isEnum: boolean;
}

/** All types of the files. */
export class TypeIndex {
  readonly #definitions = new Map<string, Definition>();

  constructor(files: readonly ProtoFile[]) {
    for (const file of files) {
      for (const { name } of file.messages) this.#add(file, name, false);
      for (const { name } of file.enums) this.#add(file, name, true);
    }
  }

  #add(file: ProtoFile, name: string, isEnum: boolean): void {
    this.#definitions.set(`${file.package}.${name}`, { file: file.name, name, isEnum });
  }

  /** Finds a type by its name as a file's message has it. @throws Error when there is none. */
  find(type: string, file: ProtoFile, message = ""): Definition {
    const found =
      this.#definitions.get(type) ??
      this.#definitions.get(`${file.package}.${message}_${type}`) ??
      this.#definitions.get(`${file.package}.${type}`);
    if (found === undefined) throw new Error(`${file.name}.proto: there is no type ${type}`);
    return found;
  }
}

/** The TypeScript of a file: its messages, each behind those that it holds, and its enums. Not formatted. */
export function renderMessages(file: ProtoFile, index: TypeIndex): string {
  const imports = new Map<string, Set<string>>();
  const messages = inOrder(file, index).map((message) => renderMessage(message, file, index, imports));
  const body = [...file.enums.map(renderEnum), ...messages].join("\n");
  const lines = [...imports].map(
    ([from, names]) => `import { ${[...names].sort().join(", ")} } from "./${from}.ts";`,
  );
  return `// Made from proto/${file.name}.proto by scripts/kata-messages.ts: change that, and run this.
import { type Message, type MessageType, messageType } from "../../protobuf/index.ts";
${lines.sort().join("\n")}

${body}`;
}

/** The messages in an order in which each comes behind those that it holds. @throws Error when one holds itself. */
function inOrder(file: ProtoFile, index: TypeIndex): ProtoMessage[] {
  const ordered: ProtoMessage[] = [];
  const visit = (message: ProtoMessage, outer: readonly ProtoMessage[]): void => {
    if (outer.includes(message)) throw new Error(`${file.name}.proto: ${message.name} holds itself`);
    if (ordered.includes(message)) return;
    for (const { type } of message.fields) {
      const inner = SCALARS[type] === undefined ? index.find(type, file, message.name) : undefined;
      const next = file.messages.find(({ name }) => inner?.file === file.name && name === inner.name);
      if (next !== undefined) visit(next, [...outer, message]);
    }
    ordered.push(message);
  };
  for (const message of file.messages) visit(message, []);
  return ordered;
}

function renderMessage(
  message: ProtoMessage,
  file: ProtoFile,
  index: TypeIndex,
  imports: Map<string, Set<string>>,
): string {
  const types: string[] = [];
  const layout: string[] = [];
  const members = message.fields.map((field) => {
    const { kind, type } = describeType(field.type, message, file, index, imports);
    if (kind === "m") types.push(type);
    layout.push(`${field.number}${RULES[field.rule]}${kind} ${localName(field.name)}`);
    return renderMember(field, kind, type);
  });
  const name = `${file.package}.${message.name}`;
  const inner = types.length > 0 ? `, [${types.join(", ")}]` : "";
  return `${comment(message.comment)}export interface ${message.name} extends Message {
${members.join("\n")}
}
export const ${message.name}: MessageType<${message.name}> = /* @__PURE__ */ messageType("${name}", "${layout.join(" ")}"${inner});
`;
}

function describeType(
  name: string,
  message: ProtoMessage,
  file: ProtoFile,
  index: TypeIndex,
  imports: Map<string, Set<string>>,
): { kind: string; type: string } {
  const scalar = SCALARS[name];
  if (scalar !== undefined) return { kind: scalar[0], type: scalar[1] };
  const found = index.find(name, file, message.name);
  if (found.file !== file.name) {
    const names = imports.get(found.file) ?? new Set();
    imports.set(found.file, names.add(found.isEnum ? `type ${found.name}` : found.name));
  }
  return { kind: found.isEnum ? "i" : "m", type: found.name };
}

function renderMember(field: ProtoField, kind: string, type: string): string {
  const name = localName(field.name);
  const words = comment(field.comment);
  if (field.rule === "repeated") return `${words}${name}: ${type}[];`;
  if (field.rule === "map") return `${words}${name}: Map<string, ${type}>;`;
  return `${words}${name}${field.rule === "optional" || kind === "m" ? "?" : ""}: ${type};`;
}

/** An enum is open: a peer may send a number that has no name here. */
function renderEnum({ name, comment: words, values }: ProtoEnum): string {
  const members = values.map((value) => `${comment(value.comment)}${value.name}: ${value.number},`);
  return `${comment(words)}export type ${name} = number;
export const ${name} = {
${members.join("\n")}
} as const;
`;
}

/** What protoc's plug-ins for JavaScript call a field. */
function localName(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** A comment as TypeScript has it, before what it speaks of. */
export function comment(words: string): string {
  if (words === "") return "";
  if (!words.includes("\n")) return `/** ${words} */\n`;
  return `/**\n${words
    .split("\n")
    .map((line) => ` * ${line}`)
    .join("\n")}\n */\n`;
}

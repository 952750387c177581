import { type Token, tokenize } from "./tokenize.ts";

/** A .proto file, as far as husk's need be understood. */
export interface ProtoFile {
  /** file's name without its ending: "agent" */
  name: string;
  package: string;
  messages: ProtoMessage[];
  enums: ProtoEnum[];
  services: ProtoService[];
}

export interface ProtoMessage {
  name: string;
  comment: string;
  fields: ProtoField[];
}

export interface ProtoField {
  name: string;
  comment: string;
  number: number;
  /** as in the file: "string", "types.Route" */
  type: string;
  rule: "" | "optional" | "repeated" | "map";
}

export interface ProtoEnum {
  name: string;
  comment: string;
  values: { name: string; comment: string; number: number }[];
}

interface ProtoService {
  name: string;
  methods: { name: string; comment: string; request: string; response: string }[];
}

/** Reads a file that uses nothing but what {@link ProtoFile} has. @throws Error at anything else. */
export function parseProto(source: string, name: string): ProtoFile {
  return new Parser(tokenize(source, `${name}.proto`), name).parseFile();
}

class Parser {
  readonly #tokens: Token[];
  readonly #file: ProtoFile;
  #at = 0;

  constructor(tokens: Token[], name: string) {
    this.#tokens = tokens;
    this.#file = { name, package: "", messages: [], enums: [], services: [] };
  }

  parseFile(): ProtoFile {
    while (this.#at < this.#tokens.length) {
      const { text, comment } = this.#next();
      if (text === "syntax") this.#expect("=", '"proto3"', ";");
      else if (text === "package") this.#file.package = this.#word(";");
      else if (text === "import") this.#word(";");
      else if (text === "message") this.#parseMessage(comment, "");
      else if (text === "enum") this.#parseEnum(comment, "");
      else if (text === "service") this.#parseService();
      else throw this.#error();
    }
    return this.#file;
  }

  /** An inner message or enum has its outer one's name before its own. */
  #parseMessage(comment: string, outer: string): void {
    const message: ProtoMessage = { name: outer + this.#word("{"), comment, fields: [] };
    this.#file.messages.push(message);
    while (!this.#takes("}")) {
      const first = this.#next();
      if (first.text === "enum") this.#parseEnum(first.comment, `${message.name}_`);
      else if (first.text === "oneof") this.#parseOneof(message);
      else message.fields.push(this.#parseField(first));
    }
    message.fields.sort((one, other) => one.number - other.number);
  }

  /** One with a single field is the same as an optional field; no other is in use. */
  #parseOneof(message: ProtoMessage): void {
    this.#word("{");
    const field = this.#parseField(this.#next());
    if (field.rule !== "") throw this.#error();
    message.fields.push({ ...field, rule: "optional" });
    this.#expect("}");
  }

  #parseField(first: Token): ProtoField {
    const rule = first.text === "optional" || first.text === "repeated" ? first.text : "";
    let type = rule === "" ? first.text : this.#next().text;
    if (type === "map") {
      this.#expect("<", "string", ",");
      type = this.#word(">");
    }
    const isMap = first.text === "map";
    const name = this.#word("=");
    const number = Number(this.#word(";"));
    return { name, comment: first.comment, number, type, rule: isMap ? "map" : rule };
  }

  #parseEnum(comment: string, outer: string): void {
    const found: ProtoEnum = { name: outer + this.#word("{"), comment, values: [] };
    this.#file.enums.push(found);
    while (!this.#takes("}")) {
      const { text, comment: words } = this.#next();
      this.#expect("=");
      found.values.push({ name: text, comment: words, number: Number(this.#word(";")) });
    }
  }

  #parseService(): void {
    const service: ProtoService = { name: this.#word("{"), methods: [] };
    this.#file.services.push(service);
    while (!this.#takes("}")) {
      const { text, comment } = this.#next();
      if (text !== "rpc") throw this.#error();
      const name = this.#word("(");
      const request = this.#word(")");
      this.#expect("returns", "(");
      const response = this.#word(")");
      this.#expect(";");
      service.methods.push({ name, comment, request, response });
    }
  }

  #next(): Token {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new Error(`${this.#file.name}.proto ends too early`);
    return token;
  }

  /** A word, behind which the given signs must come. */
  #word(...behind: string[]): string {
    const { text } = this.#next();
    if (!/^[\w."]/.test(text)) throw this.#error();
    this.#expect(...behind);
    return text;
  }

  #expect(...texts: string[]): void {
    for (const text of texts) if (this.#next().text !== text) throw this.#error();
  }

  #takes(text: string): boolean {
    if (this.#tokens[this.#at]?.text !== text) return false;
    this.#at++;
    return true;
  }

  #error(): Error {
    const token = this.#tokens[this.#at - 1];
    return new Error(`${this.#file.name}.proto:${token?.line}: "${token?.text}" is not understood here`);
  }
}

/** The options of ps that a table of processes takes. All of a container's processes are listed, whatever selects. */
import { type Column, findColumn } from "./ps-columns.ts";

type Format = "short" | "full" | "bsd" | "user";

/** `name` or `name=HEADER`, with commas between. */
const FORMATS: Record<Format, string> = {
  short: "pid,tty,time,comm=CMD",
  full: "user=UID,pid,ppid,c,stime,tty,time,cmd",
  bsd: "pid,tty,stat,bsdtime,args",
  user: "user,pid,pcpu,pmem,vsz,rss,tty,stat,start,bsdtime,args",
};

function parseColumns(list: string): Column[] {
  return list
    .split(",")
    .filter((item) => item !== "")
    .map((item) => {
      const equals = item.indexOf("=");
      return equals < 0 ? findColumn(item) : findColumn(item.slice(0, equals), item.slice(equals + 1));
    });
}

/** What is found while the words are read. */
class Options {
  readonly columns: Column[] = [];
  format: Format = "short";
  readonly #words: string[];

  constructor(words: string[]) {
    this.#words = words;
    for (let word = this.#next(); word !== undefined; word = this.#next()) this.#read(word);
  }

  #next(): string | undefined {
    return this.#words.shift();
  }

  #read(word: string): void {
    if (word === "-aux" || word === "-axu") this.#readBsd(word.slice(1), word);
    else if (word === "--format") this.#addColumns("", word);
    else if (word.startsWith("--format=")) this.#addColumns(word.slice("--format=".length), word);
    else if (word.startsWith("-")) this.#readUnix(word.slice(1), word);
    else this.#readBsd(word, word);
  }

  #readUnix(letters: string, word: string): void {
    if (letters === "") throw unsupported(word);
    if (this.#readLetters(letters, "eAadwf", word).includes("f")) this.format = "full";
  }

  #readBsd(letters: string, word: string): void {
    if (this.#readLetters(letters, "axgwu", word).includes("u")) this.format = "user";
    else if (this.format === "short") this.format = "bsd";
  }

  /** Checks and gives the letters of a word; an `o` ends them, as what follows it are columns. */
  #readLetters(letters: string, known: string, word: string): string {
    const at = letters.indexOf("o");
    const before = at < 0 ? letters : letters.slice(0, at);
    if ([...before].some((letter) => !known.includes(letter))) throw unsupported(word);
    if (at >= 0) this.#addColumns(letters.slice(at + 1), word);
    return before;
  }

  #addColumns(list: string, word: string): void {
    const given = list || this.#next();
    const columns = parseColumns(given ?? "");
    if (columns.length === 0) throw new Error(`ps option "${word}" needs the names of columns`);
    this.columns.push(...columns);
  }
}

function unsupported(word: string): Error {
  return new Error(`ps option "${word}" is not supported; use -e, -ef, aux or -o with names of columns`);
}

/** The columns that options ask for; no options are `-ef`. @throws Error naming an option or column that is unknown */
export function parsePsOptions(args: readonly string[]): Column[] {
  const words = args.flatMap((argument) => argument.split(/\s+/)).filter((word) => word !== "");
  const { columns, format } = new Options(words.length > 0 ? words : ["-ef"]);
  return columns.length > 0 ? columns : parseColumns(FORMATS[format]);
}

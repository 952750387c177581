import { HuskError } from "@husk/virtcontainers";

const BLANKS = " \t\r\n";

/**
 * Splits a command line by the rules of google/shlex, which 0-OS uses: blanks part words; between '…' all is literal; within
 * "…" and outside of quotes a backslash makes the next character literal, whichever it is; # at the beginning of a word
 * begins a comment, to the end of the line; parts without a blank between them are one word. There are no variables, no
 * patterns and no operators.
 * @throws HuskError ERR_ENTRYPOINT_INVALID when it ends within quotes or after a backslash
 */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  // A word begins with its first character or its first quote: '' is a word.
  let word: string | undefined;
  let quote: "'" | '"' | undefined;
  const characters = line[Symbol.iterator]();
  for (const character of characters) {
    if (quote) {
      if (character === quote) quote = undefined;
      else if (character === "\\" && quote === '"') word = (word ?? "") + nextLiteral(characters, line);
      else word = (word ?? "") + character;
    } else if (BLANKS.includes(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === "#" && word === undefined) {
      skipComment(characters);
    } else if (character === "'" || character === '"') {
      quote = character;
      word ??= "";
    } else {
      word = (word ?? "") + (character === "\\" ? nextLiteral(characters, line) : character);
    }
  }
  if (quote) throw invalid(line, `ends within ${quote}`);
  if (word !== undefined) words.push(word);
  return words;
}

function nextLiteral(characters: Iterator<string>, line: string): string {
  const next = characters.next();
  if (next.done) throw invalid(line, "ends after a backslash");
  return next.value;
}

function skipComment(characters: Iterator<string>): void {
  for (let next = characters.next(); !next.done && next.value !== "\n"; next = characters.next());
}

function invalid(line: string, why: string): HuskError {
  const shown = JSON.stringify(line.length > 200 ? `${line.slice(0, 200)}…` : line);
  return new HuskError("ERR_ENTRYPOINT_INVALID", `the command line ${shown} ${why}`);
}

/** A word, a text in quotes or a sign of a .proto file. */
export interface Token {
  text: string;
  /** the comment in the lines before it, without its slashes */
  comment: string;
  /** line that it stands in, from 1 */
  line: number;
}

const TOKEN = /\s+|\/\/([^\n]*)|("[^"\n]*")|([\w.]+)|([{}()<>=;,])/gy;

/** Cuts a .proto file into its tokens. @throws Error at anything else, comments of the form `/*` included. */
export function tokenize(source: string, file: string): Token[] {
  const tokens: Token[] = [];
  let comment: string[] = [];
  let line = 1;
  for (let at = 0; at < source.length; ) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(source);
    if (match === null) throw new Error(`${file}:${line}: what is "${source[at]}"?`);
    const [text, words] = match;
    if (words !== undefined) comment.push(words.trim());
    else if (/^\s/.test(text)) {
      // A blank line ends a comment: what follows is not what it speaks of.
      if (/\n\s*\n/.test(text)) comment = [];
    } else {
      tokens.push({ text, comment: comment.join("\n"), line });
      comment = [];
    }
    line += text.split("\n").length - 1;
    at += text.length;
  }
  return tokens;
}

import { stripVTControlCharacters } from "node:util";

/** C0 except newline and tab, DEL and C1. */
function isControl(code: number): boolean {
  return (code < 0x20 && code !== 0x0a && code !== 0x09) || (code >= 0x7f && code < 0xa0);
}

/** Text that a guest has written, fit for a terminal: without escape sequences and control characters. */
export function cleanText(text: string): string {
  let clean = "";
  for (const character of stripVTControlCharacters(text)) {
    if (!isControl(character.codePointAt(0) ?? 0)) clean += character;
  }
  return clean;
}

/** Characters that a terminal acts upon instead of showing them: C0 but tab and newline, DEL, C1. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROL_CHARACTERS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/**
 * Makes text safe to print. Console lines, agents' words and command lines may come from a hostile guest, and
 * must not steer the terminal of whoever reads an error.
 */
export function printable(text: string): string {
  return text.replaceAll("\r\n", "\n").replace(CONTROL_CHARACTERS, "\ufffd");
}

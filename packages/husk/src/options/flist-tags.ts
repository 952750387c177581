import { UsageError } from "../usage-error.ts";

/** Reads tags of an flist, as `--tag` gives them. */
export function parseTags(texts: readonly string[]): Record<string, string> {
  const tags: Record<string, string> = {};
  for (const text of texts) {
    const at = text.indexOf("=");
    if (at < 1) throw new UsageError(`--tag ${text}: expected KEY=VALUE`);
    tags[text.slice(0, at)] = text.slice(at + 1);
  }
  return tags;
}

// docs/errors.md is made from the error catalogue: node scripts/error-docs.ts writes it anew.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderErrorCatalogue } from "../packages/virtcontainers/src/index.ts";

const page = join(import.meta.dirname, "..", "docs", "errors.md");

/** Whether the page says what the catalogue says. */
export function isErrorPageCurrent(): boolean {
  return readFileSync(page, "utf8") === renderErrorCatalogue();
}

if (import.meta.main) writeFileSync(page, renderErrorCatalogue());

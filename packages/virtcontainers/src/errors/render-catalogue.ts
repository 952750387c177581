import { ERROR_CATALOGUE } from "./catalogue.ts";

/** The catalogue as a page of Markdown: the text of `docs/errors.md`. */
export function renderErrorCatalogue(): string {
  const sections = Object.entries(ERROR_CATALOGUE).map(
    ([code, entry]) =>
      `## ${code}\n\n_${entry.title}_ (exit status ${entry.exitCode})\n\n${entry.meaning}\n\n**What to do:** ${entry.hint}\n`,
  );
  const head =
    "# Errors\n\nGenerated from the catalogue in `packages/virtcontainers/src/errors/catalogue.ts`. The command line has three more of its own:\n`ERR_USAGE` (a wrong command line), `ERR_GUEST_IMAGE_MISSING` (the set-up has not been run) and `ERR_INTERNAL` (a bug).\n";
  return [head, ...sections].join("\n");
}

/** What the library offers, as its sources have it. */
export interface Surface {
  /** names of values: functions, constants, objects, with the keys of the latter */
  values: ReadonlyMap<string, readonly string[]>;
  /** names of types, with the members of interfaces */
  types: ReadonlyMap<string, readonly string[]>;
}

/** A row of the table: a Go name, ours, and the test that covers it. */
interface Row {
  go: string;
  ours: string;
  test: string;
}

const ROW = /^\| `([\w.]+)` +\| `([\w.]+)` +\| `([\w./-]+)` +\|$/gm;
const OURS_ALONE = /^## Ours alone$([\s\S]*)/m;
const INTERFACE = /^export interface (\w+)[^{]*\{\n([\s\S]*?)^\}/gm;
const MEMBER = /^ {2}(?:readonly )?(\w+)\??[:(]/gm;
const TYPE = /^export type (\w+)\b/gm;

/** Reads the types that a source file exports. */
export function readTypes(text: string): [name: string, members: string[]][] {
  const interfaces = [...text.matchAll(INTERFACE)].map(([, name = "", body = ""]): [string, string[]] => [
    name,
    [...body.matchAll(MEMBER)].map(([, member = ""]) => member),
  ]);
  return [...interfaces, ...[...text.matchAll(TYPE)].map(([, name = ""]): [string, string[]] => [name, []])];
}

/**
 * Finds what is wrong with `docs/api.md`: rows whose name of ours is not there, or whose test is not there or does not
 * mention it; names of ours that stand nowhere on the page.
 *
 * @param readTest gives the text of a test, undefined when there is none
 * @returns one line for a person each, none when all is well
 */
export function findTableFaults(
  page: string,
  surface: Surface,
  readTest: (path: string) => string | undefined,
): string[] {
  const rows: Row[] = [...page.matchAll(ROW)].map(([, go = "", ours = "", test = ""]) => ({
    go,
    ours,
    test,
  }));
  const tableLines = page.split("\n").filter((line) => line.startsWith("| `")).length;
  const faults = tableLines === rows.length ? [] : [`${tableLines - rows.length} rows cannot be read`];
  const seen = new Set<string>();
  for (const { go, ours, test } of rows) {
    if (seen.has(go)) faults.push(`${go}: stands in the table twice`);
    seen.add(go);
    if (!isThere(surface, ours)) faults.push(`${go}: there is no ${ours}`);
    const text = readTest(test);
    const word = ours.split(".").at(-1) ?? ours;
    if (text === undefined) faults.push(`${go}: there is no test ${test}`);
    else if (ours.includes(".") && !new RegExp(`\\b${word}\\b`).test(text))
      faults.push(`${go}: ${test} does not mention ${word}`);
  }
  const alone = [...(OURS_ALONE.exec(page)?.[1] ?? "").matchAll(/`([\w.]+)`/g)].map(([, name = ""]) => name);
  for (const name of alone) if (!isThere(surface, name)) faults.push(`ours alone: there is no ${name}`);
  const known = new Set([...rows.map(({ ours }) => ours), ...alone]);
  const missing = namesOf(surface).filter((name) => !known.has(name) && !known.has(ownerOf(name)));
  return [...faults, ...missing.map((name) => `${name}: is not on the page`)];

  /** A structure that is ours alone needs no row for its fields. */
  function ownerOf(name: string): string {
    const owner = name.split(".")[0] ?? name;
    return alone.includes(owner) ? owner : name;
  }
}

function isThere({ values, types }: Surface, name: string): boolean {
  const [owner = "", member] = name.split(".");
  if (member === undefined) return values.has(owner) || types.has(owner);
  return (values.get(owner) ?? []).includes(member) || (types.get(owner) ?? []).includes(member);
}

function namesOf({ values, types }: Surface): string[] {
  const names = [...values, ...types].flatMap(([owner, members]) => [
    owner,
    ...members.map((member) => `${owner}.${member}`),
  ]);
  return [...new Set(names)];
}

/** Gathers the values of an option that may be given more than once, as commander wants it. */
export function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}

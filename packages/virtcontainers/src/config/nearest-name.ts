/** Number of edits (insert, delete, replace, swap of neighbours) between two short words, case ignored. */
export function editDistance(a: string, b: string): number {
  const s = a.toLowerCase();
  const t = b.toLowerCase();
  let before: number[] = [];
  let previous = Array.from({ length: t.length + 1 }, (_, j) => j);
  for (let i = 1; i <= s.length; i++) {
    const row = [i];
    for (let j = 1; j <= t.length; j++) {
      const replace = (previous[j - 1] ?? 0) + (s[i - 1] === t[j - 1] ? 0 : 1);
      let best = Math.min(replace, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      if (s[i - 1] === t[j - 2] && s[i - 2] === t[j - 1]) best = Math.min(best, (before[j - 2] ?? 0) + 1);
      row.push(best);
    }
    before = previous;
    previous = row;
  }
  return previous[t.length] ?? 0;
}

/** The known name nearest to `name`, if any is near enough to be what was meant. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  // An overlong name cannot be a slip of the pen, and comparing it would cost time.
  if (name.length > 64) return undefined;
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(name, candidate);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Words of help about a name that is not known: the nearest one, or all. */
export function suggestName(name: string, known: readonly string[]): string {
  const near = nearestName(name, known);
  return near ? `did you mean ${JSON.stringify(near)}?` : `known are: ${known.join(", ") || "none"}`;
}

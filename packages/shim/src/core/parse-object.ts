/** Reads a line of JSON; what is no object, as somebody else may have written it, is as good as an empty one. */
export function parseObject(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

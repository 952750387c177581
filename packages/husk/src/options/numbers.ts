import { InvalidArgumentError } from "commander";

/** Reads a whole number above zero, as options take it. */
export function parsePositive(text: string): number {
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || !Number.isSafeInteger(value) || value === 0) {
    throw new InvalidArgumentError("Expected a whole number above 0.");
  }
  return value;
}

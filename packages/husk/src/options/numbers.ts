import { InvalidArgumentError } from "commander";

/** Reads a whole number above zero, as options take it. */
export function parsePositive(text: string): number {
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || !Number.isSafeInteger(value) || value === 0) {
    throw new InvalidArgumentError("Expected a whole number above 0.");
  }
  return value;
}

/** Least part of a processor that the guest's kernel can give. */
const MIN_CPUS = 0.01;
/** Bytes by the letters of sizes. */
const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
};

/** Reads a number of processors, which need not be whole. */
export function parseCpus(text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value < MIN_CPUS || value > 1000) {
    throw new InvalidArgumentError("Expected a number of processors from 0.01 to 1000.");
  }
  return value;
}

/** Reads a size in bytes, or with one of the letters k, m, g and t. */
export function parseSize(text: string): number {
  const [, digits = "", unit = ""] = /^(\d+)([bkmgt]?)$/i.exec(text) ?? [];
  const value = Number(digits) * (UNITS[unit.toLowerCase()] ?? Number.NaN);
  if (digits === "" || !Number.isSafeInteger(value) || value === 0) {
    throw new InvalidArgumentError("Expected a size above 0: 64m, 1g, 65536.");
  }
  return value;
}

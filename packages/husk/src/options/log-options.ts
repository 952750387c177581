import type { LogOptions, LogStream } from "@husk/virtcontainers";
import { InvalidArgumentError } from "commander";

/** The options of `logs`. */
export interface LogsOptions {
  /** go on with what comes */
  follow?: boolean;
  /** show when each line came */
  timestamps?: boolean;
  /** leave out what is older */
  since?: Date;
  /** lines to begin with; Infinity: all */
  tail?: number;
  /** print entries as they are in the log */
  json?: boolean;
  /** only these streams */
  stdout?: boolean;
  stderr?: boolean;
}

/** Milliseconds by the letters of spans. */
const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const SPAN = /^(\d+(\.\d+)?[smhd])+$/;

/** Reads a moment: `10m` or `1h30m` ago, a date of ISO 8601, or seconds since 1970. */
export function parseSince(text: string, now = Date.now()): Date {
  const moment = parseMoment(text, now);
  if (!Number.isNaN(moment.getTime())) return moment;
  throw new InvalidArgumentError("Expected a span (10m, 1h30m) or a time (2026-01-31T12:00:00Z).");
}

function parseMoment(text: string, now: number): Date {
  if (/^\d{1,12}(\.\d+)?$/.test(text)) return new Date(Number(text) * 1000);
  if (!SPAN.test(text)) return /^\d{4}-/.test(text) ? new Date(text) : new Date(Number.NaN);
  const parts = [...text.matchAll(/([\d.]+)([smhd])/g)];
  const span = parts.reduce((sum, [, count, unit = ""]) => sum + Number(count) * (UNITS[unit] ?? 0), 0);
  return new Date(now - span);
}

/** Reads a number of lines, or `all`. */
export function parseTail(text: string): number {
  if (text === "all") return Number.POSITIVE_INFINITY;
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('Expected a number of lines, or "all".');
}

/** Makes the library's options out of what was typed. */
export function makeLogOptions({ follow, since, tail, stdout, stderr }: LogsOptions): LogOptions {
  const streams: LogStream[] = [];
  if (stdout) streams.push("stdout");
  if (stderr) streams.push("stderr");
  return {
    follow,
    since,
    tail: tail === Number.POSITIVE_INFINITY ? undefined : tail,
    ...(streams.length > 0 ? { streams } : {}),
  };
}

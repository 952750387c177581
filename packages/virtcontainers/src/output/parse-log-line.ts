import type { LogEntry, LogStream } from "../types/index.ts";

const STREAMS: readonly unknown[] = ["stdout", "stderr", "shim"] satisfies LogStream[];
const NEWLINE = 10;

/** Takes a line of a log apart; undefined: it is none of ours, or torn. */
export function parseLogLine(line: string): LogEntry | undefined {
  const fields = parseObject(line);
  if (!fields) return undefined;
  const { stream, offset } = fields;
  const time = new Date(typeof fields.time === "string" ? fields.time : Number.NaN);
  const data = readData(fields);
  const isRight =
    data && STREAMS.includes(stream) && Number.isSafeInteger(offset) && !Number.isNaN(time.getTime());
  if (!isRight || Number(offset) < 0) return undefined;
  return { time, stream: stream as LogStream, offset: Number(offset), data };
}

/** Whether an entry ends a line of its stream. */
export function endsLine({ data }: LogEntry): boolean {
  return data.at(-1) === NEWLINE;
}

function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function readData({ log, base64 }: Record<string, unknown>): Uint8Array | undefined {
  if (typeof log === "string") return Buffer.from(log);
  return typeof base64 === "string" ? Buffer.from(base64, "base64") : undefined;
}

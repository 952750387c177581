/** The columns that a table of processes may have: names and contents are those of ps. */

/** What is known of a process. Times are in seconds, memory in KiB. */
export interface ProcessFacts {
  pid: number;
  ppid: number;
  pgid: number;
  sid: number;
  uid: number;
  gid: number;
  /** login name, or the uid when the container knows none */
  user: string;
  comm: string;
  args: string;
  state: string;
  nice: number;
  threads: number;
  /** kernel's number of its terminal, 0 for none */
  tty: number;
  /** processor time used */
  cpu: number;
  /** age */
  elapsed: number;
  /** when it was started, since 1970 */
  started: number;
  vsz: number;
  rss: number;
  /** memory of the machine */
  memory: number;
}

/** One column. */
export interface Column {
  header: string;
  align: "left" | "right";
  show(process: ProcessFacts): string;
}

const two = (value: number) => String(value).padStart(2, "0");

/** `[DD-]HH:MM:SS` */
function longTime(seconds: number): string {
  const [whole, days] = [Math.floor(seconds), Math.floor(seconds / 86400)];
  const clock = [Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60, whole % 60].map(two).join(":");
  return days > 0 ? `${two(days)}-${clock}` : clock;
}

/** The same without hours when there are none: `[[DD-]HH:]MM:SS` */
const shortTime = (seconds: number) => (seconds < 3600 ? longTime(seconds).slice(3) : longTime(seconds));

/** `M:SS` */
const minutes = (seconds: number) => `${Math.floor(seconds / 60)}:${two(Math.floor(seconds) % 60)}`;

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** Month (0 to 11) and day of a number of days since 1970: the engine has no Date. */
function monthAndDay(days: number): [month: number, day: number] {
  // Years that begin in March, so that the leap day is the last; 400 of them have 146,097 days.
  const dayOfEra = (days + 719468) % 146097;
  const year = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
  const month = Math.floor((5 * dayOfYear + 2) / 153);
  return [(month + 2) % 12, dayOfYear - Math.floor((153 * month + 2) / 5) + 1];
}

/** When it was started: the time of a day, or the day (both UTC). */
function startTime({ started, elapsed }: ProcessFacts): string {
  if (elapsed < 86400) return longTime(started % 86400).slice(0, 5);
  const [month, day] = monthAndDay(Math.floor(started / 86400));
  return `${MONTHS[month]}${two(day)}`;
}

function terminalName(device: number): string {
  const [major, minor] = [(device >> 8) & 0xfff, (device & 0xff) | ((device >> 12) & 0xfff00)];
  return major >= 136 && major <= 143 ? `pts/${(major - 136) * 256 + minor}` : "?";
}

const percent = (part: number, whole: number) => (whole > 0 ? (100 * part) / whole : 0);

const left = (header: string, show: Column["show"]): Column => ({ header, align: "left", show });
const right = (header: string, show: (process: ProcessFacts) => string | number): Column => ({
  header,
  align: "right",
  show: (process) => String(show(process)),
});

const COLUMNS: Record<string, Column> = {
  user: left("USER", ({ user }) => user),
  uid: right("UID", ({ uid }) => uid),
  gid: right("GID", ({ gid }) => gid),
  pid: right("PID", ({ pid }) => pid),
  ppid: right("PPID", ({ ppid }) => ppid),
  pgid: right("PGID", ({ pgid }) => pgid),
  sid: right("SID", ({ sid }) => sid),
  nlwp: right("NLWP", ({ threads }) => threads),
  ni: right("NI", ({ nice }) => nice),
  s: left("S", ({ state }) => state),
  stat: left("STAT", ({ state, pid, sid }) => (pid === sid ? `${state}s` : state)),
  tty: left("TTY", ({ tty }) => terminalName(tty)),
  c: right("C", ({ cpu, elapsed }) => Math.min(99, Math.floor(percent(cpu, elapsed)))),
  pcpu: right("%CPU", ({ cpu, elapsed }) => percent(cpu, elapsed).toFixed(1)),
  pmem: right("%MEM", ({ rss, memory }) => percent(rss, memory).toFixed(1)),
  vsz: right("VSZ", ({ vsz }) => vsz),
  rss: right("RSS", ({ rss }) => rss),
  stime: left("STIME", startTime),
  etime: right("ELAPSED", ({ elapsed }) => shortTime(elapsed)),
  etimes: right("ELAPSED", ({ elapsed }) => Math.floor(elapsed)),
  time: right("TIME", ({ cpu }) => longTime(cpu)),
  bsdtime: right("TIME", ({ cpu }) => minutes(cpu)),
  comm: left("COMMAND", ({ comm }) => comm),
  args: left("COMMAND", ({ args }) => args),
};

/** Other names of ps for the same columns; some bring a header of their own. */
const ALIASES = new Map<string, [name: string, header?: string]>([
  ["euser", ["user", "EUSER"]],
  ["euid", ["uid", "EUID"]],
  ["egid", ["gid", "EGID"]],
  ["pgrp", ["pgid", "PGRP"]],
  ["sess", ["sid", "SESS"]],
  ["session", ["sid", "SESS"]],
  ["thcount", ["nlwp", "THCNT"]],
  ["nice", ["ni"]],
  ["state", ["s"]],
  ["tt", ["tty", "TT"]],
  ["tname", ["tty"]],
  ["%cpu", ["pcpu"]],
  ["%mem", ["pmem"]],
  ["vsize", ["vsz"]],
  ["rssize", ["rss"]],
  ["start_time", ["stime", "START"]],
  ["start", ["stime", "START"]],
  ["cputime", ["time"]],
  ["ucmd", ["comm", "CMD"]],
  ["ucomm", ["comm"]],
  ["cmd", ["args", "CMD"]],
  ["command", ["args"]],
]);

/** A column by its name, with another header when one is given. @throws Error naming it when there is none */
export function findColumn(name: string, header?: string): Column {
  const [known, ownHeader] = ALIASES.get(name.toLowerCase()) ?? [name.toLowerCase()];
  const column = Object.hasOwn(COLUMNS, known) ? COLUMNS[known] : undefined;
  if (!column) {
    throw new Error(`ps column "${name}" is not supported; there are ${Object.keys(COLUMNS).join(", ")}`);
  }
  return { ...column, header: header ?? ownHeader ?? column.header };
}

/** The table, its header first, each line ended. */
export function formatTable(columns: readonly Column[], processes: readonly ProcessFacts[]): string {
  const rows = [
    columns.map(({ header }) => header),
    ...processes.map((one) => columns.map(({ show }) => show(one))),
  ];
  const widths = columns.map((_, at) => Math.max(...rows.map((row) => (row[at] as string).length)));
  const lines = rows.map((row) =>
    row
      .map((cell, at) => {
        const width = widths[at] as number;
        return columns[at]?.align === "right" ? cell.padStart(width) : cell.padEnd(width);
      })
      .join(" ")
      .trimEnd(),
  );
  return lines.map((line) => `${line}\n`).join("");
}

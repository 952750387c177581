import assert from "node:assert/strict";
import { test } from "node:test";
import { formatTable, type ProcessFacts } from "./ps-columns.ts";
import { parsePsOptions } from "./ps-options.ts";

const headers = (...args: string[]) =>
  parsePsOptions(args)
    .map(({ header }) => header)
    .join(" ");

const FULL = "UID PID PPID C STIME TTY TIME CMD";
const USER = "USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND";

test("options choose the columns that ps has for them", () => {
  assert.equal(headers(), FULL);
  assert.equal(headers(""), FULL);
  for (const full of ["-ef", "-f", "-Af", "-eafw"]) assert.equal(headers(full), FULL);
  assert.equal(headers("-e"), "PID TTY TIME CMD");
  for (const user of ["aux", "-aux", "u", "auxww"]) assert.equal(headers(user), USER);
  assert.equal(headers("ax"), "PID TTY STAT TIME COMMAND");
  for (const own of [
    ["-o", "pid,ppid,user,comm,args"],
    ["-opid,ppid,user,comm,args"],
    ["-eo pid,ppid,user,comm,args"],
    ["-o", "pid", "-o", "ppid,user", "-ocomm,args"],
    ["axo", "pid,ppid,user,comm,args"],
    ["--format=pid,ppid,user,comm,args"],
    ["--format", "pid,ppid,user,comm,args"],
  ]) {
    assert.equal(headers(...own), "PID PPID USER COMMAND COMMAND", own.join(" "));
  }
  assert.equal(headers("-o", "pid=NUMBER,%cpu,cmd"), "NUMBER %CPU CMD");
});

test("what is not known is refused by name", () => {
  for (const word of ["-Z", "-p", "--sort=pid", "-", "--", "e", "auxf", "1", "-efL"]) {
    assert.throws(
      () => parsePsOptions([word, "1"]),
      { message: new RegExp(`^ps option "${word}" is not`) },
      word,
    );
  }
  assert.throws(
    () => parsePsOptions(["-o", "pid,label"]),
    /^Error: ps column "label" is not supported; there are /,
  );
  assert.throws(() => parsePsOptions(["-o", "constructor"]), /"constructor" is not supported/);
  assert.throws(() => parsePsOptions(["-o"]), /"-o" needs the names of columns/);
  assert.throws(() => parsePsOptions(["-o", ","]), /"-o" needs the names of columns/);
});

test("a table is as wide as what is in it", () => {
  const facts: ProcessFacts = {
    pid: 12,
    ppid: 1,
    pgid: 12,
    sid: 12,
    uid: 1000,
    gid: 1000,
    user: "somebody-long",
    comm: "sleep",
    args: "sleep 1000",
    state: "S",
    nice: 0,
    threads: 1,
    tty: (136 << 8) | 3,
    cpu: 3725,
    elapsed: 90061,
    started: Date.UTC(2026, 10, 22, 16, 5) / 1000,
    vsz: 4096,
    rss: 1024,
    memory: 102400,
  };
  assert.equal(
    formatTable(parsePsOptions(["-ef"]), [facts]),
    "UID           PID PPID C STIME TTY       TIME CMD\n" +
      "somebody-long  12    1 4 Nov22 pts/3 01:02:05 sleep 1000\n",
  );
  for (let day = 0; day < 20000; day += 17) {
    const date = new Date(day * 86400_000);
    const table = formatTable(parsePsOptions(["-o", "stime="]), [{ ...facts, started: day * 86400 + 5 }]);
    const month = date.toLocaleString("en", { month: "short", timeZone: "UTC" });
    assert.equal(table.trim(), `${month}${String(date.getUTCDate()).padStart(2, "0")}`);
  }
  const young = { ...facts, elapsed: 59, cpu: 7, tty: 0 };
  assert.equal(
    formatTable(parsePsOptions(["-o", "stime,etime,time,bsdtime,tty,stat,pmem,pcpu"]), [young]),
    "STIME ELAPSED     TIME TIME TTY STAT %MEM %CPU\n16:05   00:59 00:00:07 0:07 ?   Ss    1.0 11.9\n",
  );
  assert.equal(formatTable(parsePsOptions(["-o", "etime"]), [facts]), "    ELAPSED\n01-01:01:01\n");
});

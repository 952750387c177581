import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { readAll } from "../testing/end-of.ts";
import { makeTempDirectory } from "../testing/temp-directory.ts";
import { type LogRequest, readLog } from "./follow-log.ts";

/** A log of one test, written as a shim does it. */
class WrittenLog {
  readonly base: string;
  readonly log: string;
  isOver = false;

  constructor(t: TestContext) {
    this.base = makeTempDirectory(t);
    for (const name of ["log", "container"]) mkdirSync(join(this.base, name));
    this.log = join(this.base, "log/a.log");
  }

  append(text: string): void {
    appendFileSync(this.log, text);
  }

  /** Begins a new file. @param maxFiles files to keep, with the new one */
  rotate(maxFiles: number): void {
    rmSync(`${this.log}.${maxFiles - 1}`, { force: true });
    for (let number = maxFiles - 2; number >= 1; number--) {
      try {
        renameSync(`${this.log}.${number}`, `${this.log}.${number + 1}`);
      } catch {
        // There are not so many yet.
      }
    }
    renameSync(this.log, `${this.log}.1`);
  }

  end(): void {
    this.isOver = true;
    writeFileSync(join(this.base, "container/state.json"), "");
  }

  read(request: Partial<LogRequest> = {}): AsyncGenerator<Uint8Array> {
    const [logDirectory, directory] = [join(this.base, "log"), join(this.base, "container")];
    return readLog({
      ...{ log: this.log, logDirectory, directory, follow: false, isOver: () => this.isOver },
      ...request,
    });
  }
}

test("all that is kept is read, the oldest first", async (t) => {
  const log = new WrittenLog(t);
  assert.equal(await readAll(log.read()), "");
  for (const text of ["one\n", "two\n", "three\n", "four\n"]) {
    log.append(text);
    if (text !== "four\n") log.rotate(3);
  }
  writeFileSync(`${log.log}.old`, "not of it");
  writeFileSync(join(log.base, "log/a.logs"), "not of it");
  assert.equal(await readAll(log.read()), "two\nthree\nfour\n");
});

test("the last lines are those that tail(1) would give, over all files", (t) =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.constantFrom("\n", "a\n", "b", "\n\n"), fc.constant("rotate")), { maxLength: 30 }),
      fc.nat(12),
      async (pieces, lines) => {
        const log = new WrittenLog(t);
        let all = "";
        log.append("");
        for (const piece of pieces) {
          if (piece === "rotate") {
            log.rotate(100);
            log.append("");
          } else {
            log.append(piece);
            all += piece;
          }
        }
        const ended = all.endsWith("\n") || all === "" ? all : `${all}\n`;
        const last = ended.split(/(?<=\n)/).slice(lines === 0 ? Number.POSITIVE_INFINITY : -lines);
        const want = last.join("").slice(0, last.join("").length - (ended.length - all.length));
        assert.equal(await readAll(log.read({ tail: lines })), lines === 0 ? "" : want);
      },
    ),
    { numRuns: 60 },
  ));

test("what comes is followed, over new files, until the container has ended", async (t) => {
  const log = new WrittenLog(t);
  log.append("0\n");
  const followed = log.read({ follow: true });
  let text = "";
  const take = async (upTo: string) => {
    while (!text.includes(upTo)) text += Buffer.from((await followed.next()).value ?? []).toString();
  };
  await take("0\n");
  for (let number = 1; number <= 50; number++) {
    if (number % 3 === 0) log.rotate(3);
    log.append(`${number}\n`);
    if (number % 2 === 0) await take(`\n${number}\n`);
  }
  log.append("last");
  log.end();
  for await (const chunk of followed) text += Buffer.from(chunk).toString();
  const want = Array.from({ length: 51 }, (_, number) => `${number}\n`).join("");
  assert.equal(text, `${want}last`);
});

test("a log that is not there yet is waited for, and one whose reader has enough is let go", async (t) => {
  const log = new WrittenLog(t);
  const followed = log.read({ follow: true });
  const first = followed.next();
  log.append("one\n");
  assert.equal(Buffer.from((await first).value ?? []).toString(), "one\n");
  await followed.return(undefined);
  const controller = new AbortController();
  const aborted = log.read({ follow: true, signal: controller.signal });
  assert.equal(Buffer.from((await aborted.next()).value ?? []).toString(), "one\n");
  const next = aborted.next();
  controller.abort();
  assert.deepEqual(await next, { done: true, value: undefined });
});

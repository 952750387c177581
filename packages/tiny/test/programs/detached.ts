/** Programs that go on alone, and locks. The argument is a fresh folder. */
import * as sys from "tiny:sys";
import {
  exitCode,
  F_GETFL,
  fork,
  O_CLOEXEC,
  O_CREAT,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  onExit,
  onOrphanExit,
  PR_SET_CHILD_SUBREAPER,
  startBound,
  startDetached,
  startTimer,
  tryLock,
  unlock,
  WNOHANG,
  waitForLock,
  writeAll,
  writeText,
} from "../../src/index.ts";
import { drain, failureOf, promiseOf, runScenarios } from "./scenarios.ts";

const openLock = (folder?: string) => sys.open(`${folder}/lock`, O_RDWR | O_CREAT | O_CLOEXEC, 0o600);
const shell = (script: string) => ["/bin/sh", "-c", script];

runScenarios({
  /** Asks the program what it is and has. */
  started(folder) {
    const [reader, writer] = sys.pipe2(O_CLOEXEC);
    writeText(`${folder}/input`, "in");
    // The other way round, and each in the place of another.
    const input = sys.open(`${folder}/input`, O_RDONLY, 0);
    const script = "read line; echo $line $X $PWD; cat /proc/$$/stat; ls /proc/$$/fd; cat <&3";
    const descriptors = [input, writer, 2, sys.open(`${folder}/input`, O_RDONLY, 0)];
    const pid = startDetached({ argv: shell(script), environ: ["X=y"], descriptors });
    sys.close(writer);
    const [first = "", stat = "", ...rest] = drain(reader).split("\n");
    const [, , , parent, group, session] = stat
      .replace(/\(.*\)/, "x")
      .split(" ")
      .map(Number);
    return {
      first,
      isNotOurs: parent !== sys.getpid() && sys.waitpid(-1, WNOHANG) === null,
      hasOwnSession: session === group && session !== pid,
      rest: rest.filter((line) => line !== "255"),
    };
  },

  notStarted() {
    const before = sys.readdir("/proc/self/fd").length;
    const failure = failureOf(() => startDetached({ argv: ["/none"], environ: [], descriptors: [] }));
    return [failure, sys.readdir("/proc/self/fd").length - before, sys.waitpid(-1, WNOHANG)];
  },

  /** A program is killed when who started it has gone; its end is heard of by who gets the orphans. */
  async bound() {
    sys.prctl(PR_SET_CHILD_SUBREAPER, 1);
    const [told, tell] = promiseOf<[pid: number, code: number]>();
    onOrphanExit((pid, status) => tell([pid, exitCode(status)]));
    const [reader, writer] = sys.pipe2(O_CLOEXEC);
    const argv = ["/bin/sh", "-c", "exec sleep 1000"];
    const starter = fork(() => {
      const pid = startBound({ argv, environ: [], descriptors: [] });
      writeAll(writer, sys.encodeUtf8(`${pid}`));
      return sys.exit(0);
    });
    onExit(starter, () => {});
    sys.close(writer);
    const pid = Number(drain(reader));
    const [ended, code] = await told;
    const failure = failureOf(() => startBound({ argv: ["/none"], environ: [], descriptors: [] }));
    return [ended === pid, code, failure];
  },

  /** Bytes go to a position of a file, wherever its own is. */
  splice(folder) {
    const [from, into] = sys.pipe2(O_CLOEXEC | O_NONBLOCK);
    const file = sys.open(`${folder}/spliced`, O_RDWR | O_CREAT | O_CLOEXEC, 0o600);
    sys.write(into, sys.encodeUtf8("abcdef"), 0, 6);
    const moved = [4, 4, 4].map((length, at) => sys.splice(from, file, length, 0, 2 - at));
    return [moved, drain(file), failureOf(() => sys.splice(from, into, 1, 0, 0))];
  },

  locks(folder) {
    const [one, other] = [openLock(folder), openLock(folder)];
    const found = [tryLock(one), tryLock(one), tryLock(other), unlock(one), tryLock(other)];
    return [...found, failureOf(() => tryLock(999))];
  },

  /** Waits in vain, then not in vain. */
  async waits(folder) {
    const [one, other] = [openLock(folder), openLock(folder)];
    tryLock(one);
    const inVain = await waitForLock(other, 20);
    startTimer(20, () => unlock(one));
    return [inVain, await waitForLock(other, 10_000), tryLock(one), sys.waitpid(-1, WNOHANG)];
  },

  /** What is copied from pipe to pipe is in both. */
  tee() {
    const [from, into] = sys.pipe2(O_CLOEXEC | O_NONBLOCK);
    const [copy, to] = sys.pipe2(O_CLOEXEC | O_NONBLOCK);
    const empty = sys.tee(from, to, 100, 0);
    sys.write(into, sys.encodeUtf8("abcdef"), 0, 6);
    const copied = sys.tee(from, to, 4, 0);
    sys.close(into);
    sys.close(to);
    return [empty, copied, drain(from), drain(copy), failureOf(() => sys.tee(0, 1, 1, F_GETFL))];
  },
});

/** Programs in sessions of their own: those that go on without who started them, and those that do not. */
import * as sys from "tiny:sys";
import {
  F_DUPFD,
  F_SETFD,
  FD_CLOEXEC,
  O_CLOEXEC,
  PR_SET_PDEATHSIG,
  SIG_SETMASK,
  SIGKILL,
} from "./constants.ts";
import { errorText } from "./errors.ts";
import { writeAll } from "./files.ts";

/** Room for what the child reports, in bytes: its pid, and why it could not go on. */
const REPORT_BYTES = 1024;
const MAX_DESCRIPTOR = 0xffffffff;

/** What such a program is started with. */
export interface DetachedProgram {
  /** its path, and its arguments; the first is the path */
  argv: string[];
  /** `NAME=value` strings */
  environ: string[];
  /** descriptors of ours that it has as 0, 1, 2 and so on; it has no others */
  descriptors: number[];
}

/**
 * Starts a program in a session of its own, in `/`, as nobody's child: who starts it needs not wait for it. Gives its
 * pid once the program has been executed; blocks until then.
 * @throws Error when it cannot be
 */
export function startDetached(program: DetachedProgram): number {
  const [reader, writer] = sys.pipe2(O_CLOEXEC);
  try {
    const middle = sys.fork(0);
    if (middle === 0) fromMiddle(program, writer);
    sys.close(writer);
    // Waited for here, so that whoever reaps children never hears of it.
    sys.waitpid(middle, 0);
    return readReport(reader);
  } finally {
    sys.close(reader);
  }
}

/**
 * Starts a program in a session of its own, in `/`, as our child, that is killed when we end. Gives its pid once the program
 * has been executed; blocks until then.
 * @throws Error when it cannot be
 */
export function startBound(program: DetachedProgram): number {
  const [reader, writer] = sys.pipe2(O_CLOEXEC);
  try {
    if (sys.fork(0) === 0) executeBound(program, writer);
    sys.close(writer);
    return readReport(reader);
  } finally {
    sys.close(reader);
  }
}

function executeBound(program: DetachedProgram, writer: number): never {
  try {
    sys.prctl(PR_SET_PDEATHSIG, SIGKILL);
    sys.setsid();
  } catch (error) {
    tell(writer, `!${errorText(error)}`);
    return sys.exit(127);
  }
  return execute(program, writer);
}

/** The first child: makes the session, and leaves the second one to whom orphans go. */
function fromMiddle(program: DetachedProgram, writer: number): never {
  try {
    sys.setsid();
    if (sys.fork(0) === 0) execute(program, writer);
  } catch (error) {
    tell(writer, `!${errorText(error)}`);
  }
  return sys.exit(0);
}

function execute({ argv, environ, descriptors }: DetachedProgram, writer: number): never {
  let report = writer;
  try {
    tell(report, `${sys.getpid()}\n`);
    takePlaces([...descriptors, writer]);
    report = descriptors.length;
    sys.fcntl(report, F_SETFD, FD_CLOEXEC);
    sys.closeRange(report + 1, MAX_DESCRIPTOR);
    sys.chdir("/");
    sys.resetSignals();
    sys.sigprocmask(SIG_SETMASK, []);
    sys.execve(argv[0] ?? "", argv, environ);
  } catch (error) {
    tell(report, `!${errorText(error)}`);
  }
  return sys.exit(127);
}

/** Makes these descriptors 0, 1, 2 and so on, to be inherited; first they go out of each other's way. */
function takePlaces(descriptors: number[]): void {
  const copies = descriptors.map((fd) => sys.fcntl(fd, F_DUPFD, descriptors.length));
  for (const [place, fd] of copies.entries()) sys.dup2(fd, place);
}

function tell(writer: number, text: string): void {
  writeAll(writer, sys.encodeUtf8(text));
}

/** The pid that was reported. @throws Error with the failure that was */
function readReport(reader: number): number {
  const report = new Uint8Array(REPORT_BYTES);
  let size = 0;
  for (let count = 1; count > 0 && size < report.length; size += count)
    count = sys.read(reader, report, size, report.length - size);
  const text = sys.decodeUtf8(report.subarray(0, size));
  const failure = text.indexOf("!");
  if (failure !== -1) throw new Error(text.slice(failure + 1));
  return Number.parseInt(text, 10);
}

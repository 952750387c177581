import * as sys from "tiny:sys";
import {
  isSystemError,
  O_WRONLY,
  onSignals,
  SIG_SETMASK,
  SIGCONT,
  SIGHUP,
  SIGINT,
  SIGPIPE,
  SIGQUIT,
  SIGTERM,
  SIGWINCH,
  timeNow,
} from "@husk/tiny";
import type { ExitRecord } from "@husk/wire/attach";
import { AttachServer } from "./attach-server.ts";
import { openConsole } from "./console.ts";
import { startExitCommand, writeExitFile } from "./exit-notice.ts";
import { LogWriter } from "./log-writer.ts";
import type { OutputTarget } from "./output-target.ts";
import { OwnStdin } from "./own-stdin.ts";
import { openOwnStream } from "./own-stream.ts";
import { OwnTerminal } from "./own-terminal.ts";
import type { LinkEvents, OutputName, ProcessLink } from "./process-link.ts";
import type { ShimOptions } from "./shim-options.ts";
import { StdinFeed } from "./stdin-feed.ts";
import { StdioTarget } from "./stdio-target.ts";

const STDERR = 2;
/** Exit status of a shim that could not begin. */
export const COULD_NOT_BEGIN = 1;
/** Exit status of a shim that has lost its process. */
export const LOST = 255;
/** Longest reason that is passed on, in characters. */
const REASON_LENGTH = 1000;
/** Ends a shim whose process has ended, and whose output nobody takes. */
const ENDING_SIGNALS: readonly number[] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];

/** What makes one shim differ from the other. */
export interface ShimKind {
  /** name of the program, for its texts */
  program: string;
  /** signals that go to the process */
  signals: readonly number[];
  /** Makes the way to the process. */
  makeLink(events: LinkEvents): ProcessLink;
}

/** A shim: what its link tells goes out, what comes in goes to its link. */
export class Shim {
  readonly #options: ShimOptions;
  readonly #kind: ShimKind;
  #target: OutputTarget | undefined;
  #link: ProcessLink | undefined;
  #stdin: OwnStdin | undefined;
  #terminal: OwnTerminal | undefined;
  #attach: AttachServer | undefined;
  /** bytes of each output that have come */
  #come = { stdout: 0, stderr: 0 };
  /** leaves with what the process has left; there when it has ended */
  #giveUp: (() => void) | undefined;

  constructor(options: ShimOptions, kind: ShimKind) {
    this.#options = options;
    this.#kind = kind;
  }

  /** Takes over what the shim was given, and begins. @throws Error when it cannot */
  start(): void {
    const { consolePath, log } = this.#options;
    sys.ignoreSignal(SIGPIPE);
    if (consolePath !== undefined) openConsole(consolePath);
    // Before SIGTTOU is caught, which is to stop us here.
    if (!log && this.#options.terminal !== false) this.#terminal = OwnTerminal.take();
    this.#catchSignals();
    const target = log ? new LogWriter(log) : new StdioTarget(() => this.#link?.signal(SIGPIPE));
    this.#target = target;
    this.#come = { ...target.positions };
    const link = this.#kind.makeLink(this.#makeEvents(target));
    this.#link = link;
    const feed = new StdinFeed(link);
    this.#listen(link, feed, target);
    const { stdout, stderr } = target.positions;
    this.#tell(`goes on at byte ${stdout} of stdout and ${stderr} of stderr`);
    link.start({ stdout, stderr });
    this.#tellSize();
    if (!log) this.#stdin = new OwnStdin(feed);
    else if (!this.#options.interactive) feed.end();
  }

  /** Ends the shim at once, leaving everything as it was found. */
  leave(code: number, ...texts: string[]): never {
    this.#target?.close();
    this.#stdin?.close();
    this.#terminal?.restore();
    for (const text of texts) this.#say(text);
    return sys.exit(code);
  }

  #makeEvents(target: OutputTarget): LinkEvents {
    return {
      onOutput: (name, data, written) => this.#onOutput(target, name, data, written),
      onOutputEnd: (name) => target.end(name),
      onRefused: (reason) => this.#end({ lost: cleanReason(reason) }, COULD_NOT_BEGIN, false),
      onExit: (code) => this.#end({ exitCode: code }, this.#options.proxyExitCode ? code : 0, true),
      onLost: (reason) => this.#end({ lost: cleanReason(reason) }, LOST, true),
    };
  }

  #onOutput(target: OutputTarget, name: OutputName, data: Uint8Array, written: () => void): void {
    const offset = this.#come[name];
    this.#come[name] += data.length;
    target.write(name, data, written);
    if (!this.#attach?.hasSubscribers) return;
    // Who reads the log up to where this begins is to find it there.
    target.flush();
    this.#attach.broadcast(name, offset, data);
  }

  #listen(link: ProcessLink, feed: StdinFeed, target: OutputTarget): void {
    const { attachFd, containerId, log, terminal = false } = this.#options;
    if (attachFd === undefined) return;
    const interactive = log !== undefined && this.#options.interactive;
    const handlers = {
      giveStdin: (data: Uint8Array, taken: () => void) => (interactive ? feed.give(data, taken) : taken()),
      endStdin: () => interactive && feed.end(),
      resize: (rows: number, columns: number) => link.resize(rows, columns),
      signal: (signal: number) => link.signal(signal),
    };
    const describe = () => ({ containerId, terminal, interactive, positions: target.positions });
    this.#attach = new AttachServer(attachFd, handlers, describe);
  }

  #catchSignals(): void {
    // A shim that this would end leaves its terminal as it was found, whether or not its process is to have it.
    const caught = new Set([...this.#kind.signals, SIGQUIT]);
    onSignals([...caught], (signal) => this.#onSignal(signal));
  }

  #onSignal(signal: number): void {
    this.#tell(`signal ${signal}`);
    if (this.#giveUp && ENDING_SIGNALS.includes(signal)) this.#giveUp();
    else if (!this.#kind.signals.includes(signal)) this.#dieOf(signal);
    else if (signal === SIGWINCH) this.#tellSize();
    else this.#link?.signal(signal);
    if (signal === SIGCONT) this.#goOn();
  }

  /** We were stopped, or are in the foreground again. */
  #goOn(): void {
    this.#terminal?.takeAgain();
    this.#stdin?.resume();
  }

  #dieOf(signal: number): void {
    this.#terminal?.restore();
    sys.resetSignals();
    sys.sigprocmask(SIG_SETMASK, []);
    sys.kill(sys.getpid(), signal);
  }

  #tellSize(): void {
    const size = this.#terminal?.size;
    if (size) this.#link?.resize(size.rows, size.columns);
  }

  /** The process has ended, or is lost: what it has left goes where it belongs, then others are told, then we end. */
  #end(outcome: { exitCode: number } | { lost: string }, code: number, startsCommand: boolean): void {
    if (this.#giveUp) return;
    const exit: ExitRecord = { ...outcome, time: timeNow() };
    this.#tell(
      "exitCode" in outcome ? `the process has ended with ${outcome.exitCode}` : "there is no process",
    );
    // Once: who takes the output may come to its end after it has been given up.
    const announce = () => {
      if (this.#giveUp === announce) this.#announce(exit, code, startsCommand);
    };
    this.#giveUp = announce;
    this.#stdin?.close();
    this.#target?.finish(announce);
  }

  #announce(exit: ExitRecord, code: number, startsCommand: boolean): void {
    const { exitFile, exitCommand } = this.#options;
    const faults = "lost" in exit ? [exit.lost] : [];
    const leave = () => {
      this.#link?.close();
      this.leave(code, ...faults);
    };
    this.#giveUp = leave;
    if (exitFile !== undefined) faults.push(...writeExitFile(exitFile, exit));
    this.#attach?.tellExit(exit);
    if (exitCommand && startsCommand) faults.push(...startExitCommand(exitCommand));
    if (this.#attach) this.#attach.whenAllGone(leave);
    else leave();
  }

  /** Says what is going on, if that was asked for, and our stderr is not the process's. */
  #tell(text: string): void {
    const { debug, log, containerId } = this.#options;
    if (debug && log) this.#say(`${timeNow()} ${containerId}: ${text}`);
  }

  /** Once, and not if nobody takes it: nothing is to hold us up. */
  #say(text: string): void {
    const line = sys.encodeUtf8(`${this.#kind.program}: ${text}\n`);
    try {
      const { fd, release } = openOwnStream(STDERR, O_WRONLY);
      sys.write(fd, line, 0, line.length);
      release();
    } catch (error) {
      if (!isSystemError(error)) throw error;
    }
  }
}

/** Some of its words may be the guest's: without what could move a terminal's cursor. */
function cleanReason(reason: string): string {
  const text = sys.decodeUtf8(sys.encodeUtf8(reason.slice(0, REASON_LENGTH)));
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ").trim();
}

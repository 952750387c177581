/** Processes: forking, executing, waiting, signals, credentials. */
import * as sys from "tiny:sys";
import {
  exitCode,
  F_GETFL,
  fork,
  O_CLOEXEC,
  onExit,
  onSignals,
  PR_SET_CHILD_SUBREAPER,
  PR_SET_NO_NEW_PRIVS,
  reapChildren,
  SIG_SETMASK,
  SIGHUP,
  SIGKILL,
  SIGPIPE,
  SIGTERM,
  SIGUSR1,
  WNOHANG,
} from "../../src/index.ts";
import { drain, failureOf, promiseOf, readable, runScenarios } from "./scenarios.ts";

const ended = (pid: number) =>
  new Promise<number>((resolve) => onExit(pid, (status) => resolve(exitCode(status))));

/** Forks a child whose standard output is a pipe; gives what it wrote, and its exit code. */
async function outputOf(body: () => never): Promise<[output: string, code: number]> {
  const [reader, writer] = sys.pipe2(O_CLOEXEC);
  const pid = fork(() => {
    sys.dup2(writer, 1);
    return body();
  });
  sys.close(writer);
  const code = ended(pid);
  return [drain(reader), await code];
}

const shell = (script: string, environ: string[] = []) =>
  sys.execve("/bin/sh", ["sh", "-c", script], environ);

runScenarios({
  async closedRange() {
    const code = await ended(
      fork(() => {
        const [first, second, third] = sys.pipe2(0).concat(sys.pipe2(0)) as [number, number, number];
        sys.closeRange(second, third);
        const isOpen = (fd: number) => failureOf(() => sys.fcntl(fd, F_GETFL, 0)) === "nothing";
        return sys.exit(isOpen(first) && !isOpen(second) && !isOpen(third) ? 0 : 1);
      }),
    );
    return [code, failureOf(() => sys.closeRange(2, 1))];
  },

  exitCodes() {
    const bodies: (() => never)[] = [
      () => sys.exit(0),
      () => sys.exit(7),
      () => sys.exit(255),
      () => {
        sys.kill(sys.getpid(), SIGKILL);
        return sys.exit(1);
      },
      () => {
        sys.kill(sys.getpid(), SIGTERM);
        return sys.exit(1);
      },
      () => {
        throw new Error("a child never comes back");
      },
      (() => {}) as () => never,
    ];
    return Promise.all(bodies.map((body) => ended(fork(body))));
  },

  // Until the first onExit nobody listens to SIGCHLD, so that of a child that is quick is lost.
  async endedBefore() {
    const pid = fork(() => sys.exit(5));
    await readable(sys.pidfdOpen(pid));
    return ended(pid);
  },

  async many(count) {
    reapChildren();
    const children = Array.from({ length: Number(count) }, (_, at) => fork(() => sys.exit(at % 256)));
    const codes = await Promise.all(children.map(ended));
    return [codes.every((code, at) => code === at % 256), sys.waitpid(-1, WNOHANG)];
  },

  // What nobody waits for is reaped too, and so are orphans that come to this process.
  async orphans() {
    sys.prctl(PR_SET_CHILD_SUBREAPER, 1);
    const [reader, writer] = sys.pipe2(O_CLOEXEC);
    const hold = sys.pipe2(O_CLOEXEC);
    const middle = fork(() => {
      const orphan = fork(() => {
        // It goes on until its parent is gone: the other end of this pipe is then closed.
        sys.close(hold[1]);
        sys.read(hold[0], new Uint8Array(1), 0, 1);
        return sys.exit(0);
      });
      sys.write(writer, new Uint8Array(new Int32Array([orphan]).buffer), 0, 4);
      return sys.exit(3);
    });
    const code = await ended(middle);
    const orphan = new Int32Array(1);
    sys.read(reader, new Uint8Array(orphan.buffer), 0, 4);
    const pidfd = sys.pidfdOpen(orphan[0] as number);
    sys.close(hold[1]);
    await readable(pidfd);
    // Its signal comes with its end; one more child's end shows that it has been dealt with.
    await ended(fork(() => sys.exit(0)));
    return [
      code,
      (orphan[0] as number) > 0,
      sys.waitpid(-1, WNOHANG),
      failureOf(() => sys.kill(orphan[0] as number, 0)),
    ];
  },

  async execute() {
    const [output, code] = await outputOf(() => shell('echo "$A $#"; exit 3', ["A=äb"]));
    return [output, code, failureOf(() => sys.execve("/none", ["none"], []))];
  },

  /** The child has the three standard descriptors, and the one with which it lists them. */
  async descriptors() {
    const [output] = await outputOf(() => shell("exec ls /proc/self/fd"));
    return output.trim().split("\n");
  },

  async signals() {
    const caught: number[] = [];
    const [done, finish] = promiseOf<void>();
    onSignals([SIGUSR1, SIGHUP], (signal) => {
      caught.push(signal);
      if (caught.length === 2) finish();
    });
    sys.kill(sys.getpid(), SIGUSR1);
    sys.kill(sys.getpid(), SIGUSR1);
    sys.kill(sys.getpid(), SIGHUP);
    await done;
    return caught.sort((one, other) => one - other);
  },

  // A program that is executed finds its signals as if nobody had touched them.
  async freshSignals() {
    sys.ignoreSignal(SIGUSR1);
    onSignals([SIGTERM], () => {});
    const kill = (signal: string) => () => {
      sys.resetSignals();
      sys.sigprocmask(SIG_SETMASK, []);
      return shell(`kill -${signal} $$; exit 0`);
    };
    return [await ended(fork(kill("USR1"))), await ended(fork(kill("TERM")))];
  },

  wait() {
    const pid = fork(() => {
      sys.sigprocmask(SIG_SETMASK, [SIGHUP, SIGTERM]);
      sys.kill(sys.getpid(), SIGTERM);
      return sys.exit(sys.sigwait([SIGHUP, SIGTERM]));
    });
    const found = sys.waitpid(pid, 0);
    return [found?.[0] === pid, exitCode(found?.[1] ?? -1), sys.waitpid(pid, 0)];
  },

  brokenPipe() {
    sys.ignoreSignal(SIGPIPE);
    const [reader, writer] = sys.pipe2(O_CLOEXEC);
    sys.close(reader);
    return failureOf(() => sys.write(writer, new Uint8Array(1), 0, 1));
  },

  gone() {
    return [failureOf(() => sys.kill(0x3ffffff, 0)), failureOf(() => sys.pidfdOpen(0x3ffffff))];
  },

  async limits() {
    const [output] = await outputOf(() => {
      sys.setrlimit(7, 64, 128);
      return shell("ulimit -Sn; ulimit -Hn");
    });
    return output.trim().split("\n").map(Number);
  },

  async session() {
    const [output] = await outputOf(() => {
      const leader = sys.setsid();
      sys.prctl(PR_SET_NO_NEW_PRIVS, 1);
      return shell(`test ${leader} = $$ && grep NoNewPrivs /proc/self/status`);
    });
    return output.trim();
  },

  /** Root only. */
  async credentials() {
    const [output] = await outputOf(() => {
      sys.setgroups([7, 5]);
      sys.setgid(12);
      sys.setuid(34);
      return shell("grep -E '^(Uid|Gid|Groups):' /proc/self/status");
    });
    const tooMany = failureOf(() => sys.setgroups(Array.from({ length: 257 }, (_, at) => at)));
    return [
      output
        .trim()
        .split("\n")
        .map((line) => line.trim().split(/\s+/)),
      tooMany,
    ];
  },
});

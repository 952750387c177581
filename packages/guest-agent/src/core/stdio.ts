/** The standard descriptors of a process to be started: pipes or a terminal, with the agent's ends of them. */

import * as sys from "tiny:sys";
import {
  F_SETFL,
  MS_BIND,
  O_CLOEXEC,
  O_CREAT,
  O_NOCTTY,
  O_NONBLOCK,
  O_RDWR,
  O_WRONLY,
  openPty,
  setWindowSize,
  takeTerminal,
  withFile,
} from "@husk/tiny";
import type { Process as ProcessSpec } from "@husk/wire/hyperstart";

/** Both ends. The agent's are non-blocking; all are closed on exec. */
export interface Stdio {
  /** agent's end of stdin */
  input: number;
  /** agent's end of stdout, or of both outputs of a terminal */
  output: number;
  /** agent's end of stderr; undefined when it goes to the terminal */
  error: number | undefined;
  /** true when input and output are one terminal's master */
  isTerminal: boolean;
  /** descriptors that only the child needs, which the parent closes after the fork */
  childEnds: number[];
  /** In the child: makes them 0, 1 and 2. Called when the container's root is entered. */
  install(uid: number, gid: number): void;
  /** In the child: makes its terminal, if it is one, the container's /dev/console. */
  bindConsole(): void;
}

function makePipe(opened: number[], nonBlockingEnd: 0 | 1): [number, number] {
  const pair = sys.pipe2(O_CLOEXEC);
  opened.push(...pair);
  sys.fcntl(pair[nonBlockingEnd], F_SETFL, O_NONBLOCK);
  return pair;
}

function makePipes(opened: number[]): Stdio {
  const input = makePipe(opened, 1);
  const output = makePipe(opened, 0);
  const error = makePipe(opened, 0);
  return {
    input: input[1],
    output: output[0],
    error: error[0],
    isTerminal: false,
    childEnds: [input[0], output[1], error[1]],
    install: () => [input[0], output[1], error[1]].forEach((fd, number) => void sys.dup2(fd, number)),
    bindConsole: () => {},
  };
}

function makeTerminal(spec: ProcessSpec, devpts: string, opened: number[]): Stdio {
  const pty = openPty(devpts);
  opened.push(pty.master);
  if (spec.rows && spec.columns) setWindowSize(pty.master, spec.rows, spec.columns);
  const error = spec.stderr === 0 ? undefined : makePipe(opened, 0);
  const path = `/dev/pts/${pty.number}`;
  return {
    input: pty.master,
    output: pty.master,
    error: error?.[0],
    isTerminal: true,
    childEnds: error ? [error[1]] : [],
    install: (uid, gid) => {
      const slave = sys.open(path, O_RDWR | O_NOCTTY | O_CLOEXEC, 0);
      sys.chown(path, uid, gid);
      takeTerminal(slave);
      for (const number of [0, 1, 2]) sys.dup2(slave, number);
      if (error) sys.dup2(error[1], 2);
    },
    bindConsole: () => {
      withFile("/dev/console", O_WRONLY | O_CREAT, 0o600, () => {});
      sys.mount(path, "/dev/console", null, MS_BIND, null);
    },
  };
}

/** Opens what a process needs; `devpts` is where the agent sees the container's terminals. */
export function openStdio(spec: ProcessSpec, devpts: string): Stdio {
  const opened: number[] = [];
  try {
    return spec.terminal ? makeTerminal(spec, devpts, opened) : makePipes(opened);
  } catch (error) {
    for (const fd of opened) sys.close(fd);
    throw error;
  }
}

/** Closes the agent's ends, when the process was not started after all. */
export function closeStdio(stdio: Stdio): void {
  for (const fd of new Set([
    stdio.input,
    stdio.output,
    ...(stdio.error === undefined ? [] : [stdio.error]),
  ])) {
    sys.close(fd);
  }
}

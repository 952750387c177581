/** The standard descriptors of a process to be started: pipes or a terminal, with the agent's ends of them. */

import * as sys from "tiny:sys";
import {
  F_SETFL,
  F_SETPIPE_SZ,
  O_CLOEXEC,
  O_NONBLOCK,
  openPty,
  openSlave,
  setWindowSize,
  takeTerminal,
} from "@husk/tiny";
import type { TerminalPlan } from "./process-plan.ts";

/** Both ends. The agent's are non-blocking; all are closed on exec. */
export interface Stdio {
  /** agent's end of stdin */
  input: number;
  /** agent's end of stdout, or of both outputs of a terminal */
  output: number;
  /** agent's end of stderr; undefined when it goes to the terminal */
  error: number | undefined;
  /** number of the terminal, whose master input and output are then; undefined without one */
  terminal: number | undefined;
  /** descriptors that only the child needs, which the parent closes after the fork */
  childEnds: number[];
  /** In the child: makes them 0, 1 and 2. */
  install(uid: number, gid: number): void;
}

/** bytes of new pipes; undefined: the kernel's size */
let pipeBytes: number | undefined;

/** Says how large the pipes of processes are from now on. */
export function setPipeBytes(bytes: number | undefined): void {
  pipeBytes = bytes;
}

function makePipe(opened: number[], nonBlockingEnd: 0 | 1): [number, number] {
  const pair = sys.pipe2(O_CLOEXEC);
  opened.push(...pair);
  sys.fcntl(pair[nonBlockingEnd], F_SETFL, O_NONBLOCK);
  if (pipeBytes !== undefined) sys.fcntl(pair[0], F_SETPIPE_SZ, pipeBytes);
  return pair;
}

function makePipes(opened: number[]): Stdio {
  const input = makePipe(opened, 1);
  const output = makePipe(opened, 0);
  const error = makePipe(opened, 0);
  const childEnds = [input[0], output[1], error[1]];
  return {
    input: input[1],
    output: output[0],
    error: error[0],
    terminal: undefined,
    childEnds,
    install: (uid, gid) => {
      // The user may open them again by /dev/stdout and the like. Pipes are root's from the beginning.
      if (uid !== 0 || gid !== 0) for (const fd of childEnds) sys.fchown(fd, uid, gid);
      childEnds.forEach((fd, number) => void sys.dup2(fd, number));
    },
  };
}

function makeTerminal(plan: TerminalPlan, devpts: string, opened: number[]): Stdio {
  const pty = openPty(devpts);
  opened.push(pty.master);
  if (plan.rows && plan.columns) setWindowSize(pty.master, plan.rows, plan.columns);
  const error = plan.ownStderr ? makePipe(opened, 0) : undefined;
  return {
    input: pty.master,
    output: pty.master,
    error: error?.[0],
    terminal: pty.number,
    childEnds: error ? [error[1]] : [],
    install: (uid, gid) => {
      const slave = openSlave(pty.master);
      sys.fchown(slave, uid, gid);
      takeTerminal(slave);
      for (const number of [0, 1, 2]) sys.dup2(slave, number);
      if (error) sys.dup2(error[1], 2);
    },
  };
}

/** Opens what a process needs; `devpts` is where the agent sees the container's terminals. */
export function openStdio(terminal: TerminalPlan | undefined, devpts: string): Stdio {
  const opened: number[] = [];
  try {
    return terminal ? makeTerminal(terminal, devpts, opened) : makePipes(opened);
  } catch (error) {
    for (const fd of opened) sys.close(fd);
    throw error;
  }
}

/** Closes the agent's ends, when the process was not started after all. */
export function closeStdio({ input, output, error }: Stdio): void {
  for (const fd of new Set([input, output, error])) if (fd !== undefined) sys.close(fd);
}

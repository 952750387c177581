/** A module shim as a whole: what it takes over, in which order, and what it answers to whoever started it. */

import * as sys from "tiny:sys";
import {
  errorText,
  O_CLOEXEC,
  O_CREAT,
  O_RDWR,
  PR_SET_CHILD_SUBREAPER,
  readBytes,
  SIGHUP,
  SIGINT,
  SIGPIPE,
  SIGQUIT,
  SIGTERM,
  SIGUSR1,
  tryLock,
  writeAll,
} from "@husk/tiny";
import {
  encodeStartReport,
  MAX_SHIM_PLAN_BYTES,
  parseShimPlan,
  type ShimPlan,
  type StartFault,
  type StartReport,
} from "@husk/wire/module-shim";
import { listenAt } from "../core/listen-at.ts";
import { removeIfThere } from "../core/remove-if-there.ts";
import { boundText } from "./bound-text.ts";
import { ContainerLog } from "./container-log.ts";
import { ControlServer } from "./control-server.ts";
import { EndedChildren } from "./ended-children.ts";
import { ExecRunner } from "./exec-runner.ts";
import { openFifo } from "./fifo.ts";
import { OutputMover } from "./output-mover.ts";
import { Runtime } from "./runtime.ts";
import { StateFile } from "./state-file.ts";
import { SupervisedContainer } from "./supervised-container.ts";

const STDOUT = 1;
/** Exit status of a shim that could not begin, or whose container could not. */
const COULD_NOT_BEGIN = 1;
/** Connections that may wait to be accepted. */
const BACKLOG = 128;
/** A service manager that signals a whole group must not end containers: only `quit` ends a shim. */
const IGNORED_SIGNALS = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGPIPE];

/** A step of the beginning that failed. */
class BeginError extends Error {
  readonly step: string;

  constructor(step: string, cause: unknown) {
    super(errorText(cause));
    this.step = step;
  }
}

/** See the head of the file. */
export class ModuleShim {
  readonly #planPath: string;

  constructor(planPath: string) {
    this.#planPath = planPath;
  }

  /** Begins; how that went is told on stdout. Ends the program when there is nothing for it to do. */
  start(): void {
    for (const signal of IGNORED_SIGNALS) sys.ignoreSignal(signal);
    // It is the container's, too, and that of what a runtime makes in its root.
    sys.umask(0o022);
    this.#begin().then(
      (report) => {
        tell(report);
        if ("error" in report) sys.exit(COULD_NOT_BEGIN);
      },
      (error: unknown) => {
        if (!(error instanceof BeginError)) throw error;
        tell({ error: { step: error.step, message: boundText(error.message) } });
        sys.exit(COULD_NOT_BEGIN);
      },
    );
  }

  async #begin(): Promise<StartReport> {
    const plan = attempt("plan", () => parseShimPlan(readBytes(this.#planPath, MAX_SHIM_PLAN_BYTES)));
    sys.chdir("/");
    attempt("lock", () => takeLock(plan.lock));
    sys.prctl(PR_SET_CHILD_SUBREAPER, 1);
    const container = attempt("prepare", () => prepare(plan));
    const fault: StartFault | undefined = await container.begin();
    if (fault) removeIfThere(plan.socket);
    return fault ? { error: fault } : { ok: true, ...container.started };
  }
}

function attempt<T>(step: string, task: () => T): T {
  try {
    return task();
  } catch (error) {
    throw new BeginError(step, error);
  }
}

/** Held until the program ends. */
function takeLock(path: string): void {
  const fd = sys.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600);
  if (!tryLock(fd)) throw new Error(`${path} is locked: another shim is there for this container`);
}

function prepare(plan: ShimPlan): SupervisedContainer {
  const states = new StateFile(plan.state);
  const children = new EndedChildren();
  const stdout = openFifo(plan.stdout);
  const stderr = plan.stderr === plan.stdout ? stdout : openFifo(plan.stderr);
  const log = new ContainerLog(plan.log, {
    onDropped: (bytes, isFirst) => states.countDropped(bytes, isFirst),
    onFault: (text) => states.warn(text),
  });
  // Of a container that runs, the output has to be taken, be it to drop it.
  if (!states.wasLeft) log.open();
  const output = new OutputMover([...new Set([stdout, stderr])], log);
  const runtime = new Runtime(plan, children);
  const container = new SupervisedContainer({ plan, states, runtime, children, output });
  const execs = new ExecRunner({ plan, runtime, container, children });
  const beforeEnd = () => removeIfThere(plan.socket);
  new ControlServer(listenAt(plan.socket, BACKLOG), { container, runtime, execs, beforeEnd });
  return container;
}

/** Writes the line, and lets go of stdout: whoever reads it sees its end. */
function tell(report: StartReport): void {
  try {
    writeAll(STDOUT, encodeStartReport(report));
  } catch {
    // Who started us has gone; the state is on disk.
  }
  const nothing = sys.open("/dev/null", O_RDWR | O_CLOEXEC, 0);
  sys.dup2(nothing, STDOUT);
  sys.close(nothing);
}

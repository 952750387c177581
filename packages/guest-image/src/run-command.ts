import { spawn } from "node:child_process";

/** What a finished command leaves behind. */
export interface CommandOutput {
  /** everything it wrote to its standard output */
  stdout: Buffer;
  /** everything it wrote to its standard error */
  stderr: string;
}

/** How to run a command. */
export interface CommandOptions {
  /** bytes given to it on its standard input; without them the input is empty */
  input?: Uint8Array;
  /** working directory */
  cwd?: string;
  /** most bytes accepted on its standard output */
  maxOutput?: number;
  /** time it may take, in ms */
  timeoutMs?: number;
}

/** A command could not be started, failed, took too long or said too much. */
export class CommandError extends Error {
  override name = "CommandError";
  /** the command's last words, for the user */
  readonly output: string;

  constructor(message: string, output: string) {
    super(message);
    this.output = output;
  }
}

const DEFAULT_TIMEOUT_MS = 10 * 60_000;
const DEFAULT_MAX_OUTPUT = 512 * 1024 * 1024;
const MAX_STDERR = 64 * 1024;

/**
 * Runs a command without a shell and waits for its end.
 *
 * @throws CommandError when it cannot start, ends with another status than 0, or passes one of its limits
 */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandOutput> {
  const { maxOutput = DEFAULT_MAX_OUTPUT, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const { promise, resolve, reject } = Promise.withResolvers<CommandOutput>();
  const child = spawn(command, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, LC_ALL: "C.UTF-8" },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const stdout: Buffer[] = [];
  let stderr = "";
  let size = 0;
  let broken: string | undefined;
  const stop = (why: string) => {
    broken ??= why;
    child.kill("SIGKILL");
  };
  const timer = setTimeout(stop, timeoutMs, `took longer than ${timeoutMs / 1000} s`);

  child.stdout.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxOutput) return stop(`wrote more than ${maxOutput} bytes`);
    stdout.push(chunk);
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-MAX_STDERR);
  });
  // A command that ends before it has read its input is judged by its status, not by our EPIPE.
  child.stdin.on("error", () => {});
  child.stdin.end(options.input);
  child.on("error", (error) => {
    clearTimeout(timer);
    reject(new CommandError(`cannot run ${command}: ${error.message}`, ""));
  });
  child.on("close", (code, signal) => {
    clearTimeout(timer);
    if (code === 0 && broken === undefined) return resolve({ stdout: Buffer.concat(stdout), stderr });
    const reason = broken ?? (code === null ? `was killed by ${signal}` : `ended with status ${code}`);
    reject(new CommandError(`${command} ${reason}`, stderr));
  });
  return promise;
}

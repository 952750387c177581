import { spawn } from "node:child_process";

/** A tool of the build that failed, with the last of what it said. */
export class ToolError extends Error {
  readonly code = "ERR_BUILD_TOOL";
  constructor(command: string, outcome: string, output: string) {
    const tail = output.trim().split("\n").slice(-12).join("\n");
    super(`${command} ${outcome}${tail ? `:\n${tail}` : ""}`);
  }
}

/** Runs a program without a shell and returns its standard output. Throws {@link ToolError} unless it exits with 0. */
export function runTool(command: string, args: string[], options: { cwd?: string } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("error", (error) => reject(new ToolError(command, `could not be run (${error.message})`, "")));
    child.on("close", (code, signal) => {
      if (code === 0) resolve(stdout);
      else reject(new ToolError(command, `ended with ${signal ?? code}`, stderr + stdout));
    });
  });
}

/** Words of the kernel's command line that are for the Kata agent. Reference: virtcontainers.md 8.3. */

const VSOCK_WORD = "agent.use_vsock=";

const PIPE_WORD = "agent.container_pipe_size=";
/** Bytes of the largest pipe that may be asked for. */
const MAX_PIPE_BYTES = 16 * 1024 * 1024;

/** What follows a word; undefined when it is not there. As with the kernel, the last one wins. */
function readWord(commandLine: string, word: string): string | undefined {
  const words = commandLine.trim().split(/\s+/);
  return words.findLast((one) => one.startsWith(word))?.slice(word.length);
}

/** Whether the host comes by vsock; undefined when it says nothing. */
export function readVsockWord(commandLine: string): boolean | undefined {
  const value = readWord(commandLine, VSOCK_WORD);
  return value === undefined ? undefined : ["true", "1"].includes(value);
}

/** Bytes of the pipes that processes get; undefined when the host leaves that to the kernel. */
export function readPipeSizeWord(commandLine: string): number | undefined {
  const value = readWord(commandLine, PIPE_WORD) ?? "";
  const bytes = Number(value);
  return /^[0-9]{1,9}$/.test(value) && bytes > 0 && bytes <= MAX_PIPE_BYTES ? bytes : undefined;
}

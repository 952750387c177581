/** The word of the kernel's command line that says how the host comes to the Kata agent. Reference: virtcontainers.md 8.3. */

const VSOCK_WORD = "agent.use_vsock=";

/** Whether the host comes by vsock; undefined when it says nothing. As with the kernel, the last word wins. */
export function readVsockWord(commandLine: string): boolean | undefined {
  const word = commandLine
    .trim()
    .split(/\s+/)
    .findLast((one) => one.startsWith(VSOCK_WORD));
  return word === undefined ? undefined : ["true", "1"].includes(word.slice(VSOCK_WORD.length));
}

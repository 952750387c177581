/** Programs that are remembered: the last. */
const MOST = 10;
/** Characters that are remembered of what one has said: the last. */
const LENGTH = 1500;

/** What programs of the test that runs have said on stderr, one behind the other. */
const said: string[] = [];

/** Remembers what a program has said, which an assertion about its output would not tell. */
export function noteSaid(words: readonly string[], status: number, stderr: string): void {
  if (stderr === "") return;
  said.push(`${words.join(" ").slice(0, LENGTH)} (status ${status}):\n${stderr.slice(-LENGTH)}`);
  if (said.length > MOST) said.shift();
}

/** Gives all that is remembered, and forgets it; empty: nothing. */
export function takeSaid(): string {
  return said.splice(0).join("\n");
}

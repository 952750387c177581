import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";

/**
 * Makes a lane's own network: namespaces by name, links and sysfs are what tests look at to find what they have left, and
 * two that run at once must not see each other's.
 */
const SET_UP = `
mkdir -p /run/netns
mount --rbind /sys/fs/cgroup /run/netns
mount -t sysfs sysfs /sys
mount --rbind /run/netns /sys/fs/cgroup
umount --lazy /run/netns
mount -t tmpfs tmpfs /run/netns
ip link set lo up
exec "$@"`;
const UNSHARE = ["--net", "--mount", "--propagation", "private", "--", "sh", "-ec", SET_UP, "lane"];
/** Lines by which node's reporter sums a file up, such as "ℹ pass 12". */
const SUMMARY = /^ℹ (\w+) ([\d.]+)$/;
/** Such a line that is told only for the whole. */
const DIAGNOSTIC = /^ℹ \w+ [\d.]+\n/gm;
/** What the reporter writes last: the errors of the tests that have failed. */
const FAILURES = /^✖ failing tests:\n[\s\S]*/m;

/** How the tests of one file have ended. */
export interface FileResult {
  /** what the reporter has written, without its sums */
  readonly output: string;
  /** the part of it that says why tests have failed; all of it when there is none */
  readonly failures: string;
  readonly passed: number;
  readonly failed: number;
  /** tests that could not run here */
  readonly skipped: number;
  /** whether the file as a whole has passed */
  readonly isGood: boolean;
}

/** Whether this machine and user can give each lane a network of its own. */
export function canSeparateLanes(): boolean {
  return spawnSync("unshare", [...UNSHARE, "true"]).status === 0;
}

/** Runs one file of tests, apart from others when that can be done. */
export async function runFile(file: string, isApart: boolean, cwd: string): Promise<FileResult> {
  const node = [process.execPath, "--test", "--test-concurrency=1", "--test-reporter=spec", file];
  const [command = "", ...args] = isApart ? ["unshare", ...UNSHARE, ...node] : node;
  const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  const [code] = (await once(child, "close")) as [number | null];
  const text = Buffer.concat(chunks).toString();
  const sums = new Map(text.split("\n").flatMap((line) => readSum(line) ?? []));
  const output = text.replaceAll(DIAGNOSTIC, "").trimEnd();
  const count = (name: string) => sums.get(name) ?? 0;
  return {
    output,
    failures: FAILURES.exec(output)?.[0] ?? output,
    passed: count("pass"),
    failed: count("fail") + count("cancelled"),
    skipped: count("skipped"),
    isGood: code === 0,
  };
}

function readSum(line: string): [[string, number]] | undefined {
  const [, name, value] = SUMMARY.exec(line) ?? [];
  return name === undefined ? undefined : [[name, Number(value)]];
}

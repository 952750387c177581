/**
 * Runs a program on a terminal of its own: `on-terminal PROGRAM ARGUMENTS…`; without one, only makes the terminal. What comes in is typed there, what it writes goes
 * out; the terminal's path is the first line on stderr, the program's end the second, and whether the terminal is as it was.
 */
import * as sys from "tiny:sys";
import {
  EPOLLIN,
  exitCode,
  fork,
  onExit,
  openPty,
  openSlave,
  readTerminalMode,
  run,
  setWindowSize,
  takeTerminal,
  unwatch,
  watch,
  writeAll,
} from "@husk/tiny";

const say = (text: string) => writeAll(2, sys.encodeUtf8(`${text}\n`));
const buffer = new Uint8Array(65536);

/** Hands on what there is; false when that was nothing. */
function relay(from: number, to: number): boolean {
  const count = sys.read(from, buffer, 0, buffer.length);
  if (count > 0) writeAll(to, buffer.subarray(0, count));
  return count > 0;
}

const [, program = "", ...args] = sys.argv;
const { master, number } = openPty("/dev/pts");
setWindowSize(master, 24, 80);
const slave = openSlave(master);
const mode = () => readTerminalMode(slave)?.join();
const found = mode();
say(`/dev/pts/${number}`);

function start(): void {
  const child = fork(() => {
    sys.setsid();
    takeTerminal(slave);
    for (const fd of [0, 1, 2]) sys.dup2(slave, fd);
    sys.execve(program, [program, ...args], sys.environ);
  });
  onExit(child, (status) => {
    // What it has left in the terminal.
    while (relay(master, 1));
    say(`ended ${exitCode(status)} ${mode() === found ? "as it was" : "changed"}`);
    sys.exit(0);
  });
}

if (program) start();
watch(0, EPOLLIN, () => {
  if (!relay(0, master)) unwatch(0);
});
watch(master, EPOLLIN, () => void relay(master, 1));
run();

import { execFileSync } from "node:child_process";
import {
  chmodSync,
  lchownSync,
  lutimesSync,
  mkdirSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

/** Makes a directory that has everything in it that a root file system may have; as root, also what only root can make. */
export function makeEveryKind(root: string): void {
  const path = (name: string) => join(root, name);
  mkdirSync(path("dir/deeper"), { recursive: true });
  writeFileSync(path("empty"), "");
  writeFileSync(path("dir/hello"), "hello\n");
  writeFileSync(path("dir/deeper/ünïcode \n name"), "x");
  writeFileSync(path("big"), Buffer.alloc(1_300_000, "some text that repeats itself, and "));
  writeFileSync(path("exact"), Buffer.alloc(512 * 1024, 1));
  writeFileSync(path("sparse"), "begin");
  truncateSync(path("sparse"), 3_000_000);
  symlinkSync("../etc/passwd", path("dir/link"));
  symlinkSync("/nowhere", path("dangling"));
  execFileSync("mkfifo", [path("fifo")]);
  if (process.geteuid?.() === 0) {
    execFileSync("mknod", [path("null"), "c", "1", "3"]);
    execFileSync("mknod", [path("disk"), "b", "259", "70000"]);
    lchownSync(path("dir/hello"), 1000, 1001);
    lchownSync(path("dir/link"), 1000, 1001);
    lchownSync(path("dir/deeper"), 5, 6);
  }
  chmodSync(path("dir/hello"), 0o6755);
  chmodSync(path("dir/deeper"), 0o1777);
  chmodSync(path("empty"), 0o000);
  for (const [index, name] of ["dir/hello", "dir/deeper", "dir", "big", "fifo"].entries()) {
    utimesSync(path(name), 1e9 + index, 1e9 + index);
  }
  lutimesSync(path("dangling"), 12345, 12345);
  chmodSync(root, 0o555);
  utimesSync(root, 1, 1);
}

/** Files, directories, descriptors. The argument is a fresh folder. */
import * as sys from "tiny:sys";
import {
  CLOCK_REALTIME,
  exists,
  F_GETFL,
  F_SETFL,
  isDirectory,
  makeDirectories,
  O_CLOEXEC,
  O_CREAT,
  O_EXCL,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  RESOLVE_BENEATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  readBytes,
  readText,
  readTextIfThere,
  S_IFCHR,
  S_IFMT,
  TIOCSWINSZ,
  withFile,
  writeControl,
  writeText,
} from "../../src/index.ts";
import { failureOf, runScenarios } from "./scenarios.ts";

const openDescriptors = () => sys.readdir("/proc/self/fd").length;

runScenarios({
  wholeFiles(folder) {
    const path = `${folder}/file`;
    const long = "0123456789".repeat(2000);
    writeText(path, long, 0o600);
    const [size, mode] = [sys.stat(path).size, sys.stat(path).mode & 0o777];
    const same = readText(path) === long;
    writeText(path, "kürzer\0!");
    return [size, mode, same, readText(path), [...readBytes(path, 9)]];
  },

  limits(folder) {
    const path = `${folder}/file`;
    writeText(path, "x".repeat(5000));
    const before = openDescriptors();
    const failure = failureOf(() => readBytes(path, 4999));
    return [failure, readBytes(path, 5000).length, openDescriptors() - before];
  },

  missing(folder) {
    return [
      readTextIfThere(`${folder}/none`) ?? null,
      readTextIfThere("/dev/null/none") ?? null,
      failureOf(() => readTextIfThere(`${folder}`)),
      failureOf(() => writeControl(`${folder}/none`, "1")),
      exists(`${folder}/none`),
    ];
  },

  confined(folder) {
    writeText(`${folder}/file`, "0123456789");
    sys.symlink("/proc/self/root", `${folder}/magic`);
    sys.symlink("../../file", `${folder}/up`);
    sys.chdir(folder);
    const open = (path: string) =>
      sys.openat2(path, O_RDWR | O_CLOEXEC, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
    const fd = open("/up");
    sys.ftruncate(fd, 4);
    const kept = [sys.fstat(fd).size, readText("file")];
    sys.close(fd);
    return [
      kept,
      failureOf(() => open("/magic")),
      failureOf(() => open("/etc/passwd")),
      failureOf(() => sys.fstat(fd)),
    ];
  },

  beneath(folder) {
    writeText(`${folder}/file`, "0123456789");
    sys.symlink("file", `${folder}/link`);
    const at = sys.open(folder, O_PATH | O_CLOEXEC, 0);
    const open = (path: string) =>
      sys.openat2(path, O_RDONLY | O_CLOEXEC, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS, at);
    return [
      sys.fstat(open("file")).size,
      failureOf(() => open("link")),
      failureOf(() => open("../file")),
      failureOf(() => open("/etc/passwd")),
    ];
  },

  positions(folder) {
    const path = `${folder}/file`;
    const bytes = sys.encodeUtf8("abcdef");
    const counts = withFile(path, O_RDWR | O_CREAT, 0o600, (fd) => [
      sys.pwrite(fd, bytes, 2, 3, 4),
      sys.pwrite(fd, bytes, 0, 2, 0),
      sys.write(fd, bytes, 5, 1),
    ]);
    return [counts, [...readBytes(path)], failureOf(() => sys.pwrite(0, bytes, 0, 7, 0))];
  },

  kinds(folder) {
    sys.symlink("nowhere", `${folder}/dangling`);
    sys.symlink(".", `${folder}/link`);
    return {
      dangling: [exists(`${folder}/dangling`), isDirectory(`${folder}/dangling`)],
      link: [exists(`${folder}/link`), isDirectory(`${folder}/link`), sys.readlink(`${folder}/link`)],
      own: [sys.lstat(`${folder}/link`).mode & S_IFMT, sys.stat(`${folder}/link`).mode & S_IFMT],
      names: sys.readdir(`${folder}`).sort(),
    };
  },

  namesThatAreMissing(folder) {
    writeText(`${folder}/file`, "");
    sys.symlink("nowhere", `${folder}/dangling`);
    sys.symlink("loop", `${folder}/loop`);
    const names = ["file", "dangling", "none", "file/none", "none/none"].map((name) => `${folder}/${name}`);
    return {
      stat: names.map((name) => sys.statIfThere(name) !== undefined),
      lstat: names.map((name) => sys.lstatIfThere(name) !== undefined),
      readlink: names.map((name) => sys.readlinkIfLink(name) ?? null),
      others: [
        failureOf(() => sys.statIfThere(`${folder}/loop`)),
        failureOf(() => sys.lstatIfThere(`${folder}/loop/none`)),
        failureOf(() => sys.readlinkIfLink(`${folder}/loop/none`)),
      ],
    };
  },

  copies(folder) {
    writeText(`${folder}/file`, "x");
    writeText(`${folder}/copy`, "x");
    sys.symlink("nowhere", `${folder}/dangling`);
    sys.link(`${folder}/file`, `${folder}/again`);
    sys.setMtime(`${folder}/file`, 1_000_000_000);
    sys.setMtime(`${folder}/dangling`, 1_000_000_001);
    sys.lchown(`${folder}/dangling`, sys.lstat(folder).uid, sys.lstat(folder).gid);
    sys.copyXattrs(`${folder}/file`, `${folder}/copy`);
    return {
      sameFile: sys.stat(`${folder}/again`).ino === sys.stat(`${folder}/file`).ino,
      times: [sys.stat(`${folder}/again`).mtime, sys.lstat(`${folder}/dangling`).mtime],
      noXattrs: failureOf(() => sys.copyXattrs(`${folder}/none`, `${folder}/copy`)),
    };
  },

  directories(folder) {
    sys.umask(0o022);
    makeDirectories(`${folder}/a/b/c`, 0o777);
    makeDirectories(`${folder}/a/b/c`);
    makeDirectories(`${folder}/d/e/`);
    writeText(`${folder}/file`, "");
    sys.chdir(`${folder}`);
    makeDirectories("relative/path");
    return {
      mode: sys.stat(`${folder}/a/b/c`).mode & 0o777,
      slash: isDirectory(`${folder}/d/e`),
      relative: isDirectory(`${folder}/relative/path`),
      onFile: failureOf(() => makeDirectories(`${folder}/file/x`)),
      noParent: failureOf(() => makeDirectories("none")),
    };
  },

  changes(folder) {
    const [from, to] = [`${folder}/from`, `${folder}/to`];
    writeText(from, "x");
    sys.chmod(from, 0o640);
    sys.rename(from, to);
    const found = [exists(from), sys.stat(to).mode & 0o777];
    sys.unlink(to);
    sys.mkdir(`${folder}/empty`, 0o700);
    sys.rmdir(`${folder}/empty`);
    return [...found, exists(to), exists(`${folder}/empty`), failureOf(() => sys.rename(from, to))];
  },

  devices() {
    const { mode, rdev } = sys.stat("/dev/null");
    const huge = sys.makedev(0xfff, 0xfffff);
    return [(mode & S_IFMT) === S_IFCHR, rdev === sys.makedev(1, 3), huge];
  },

  /** Root only. */
  makeDevice(folder) {
    sys.mknod(`${folder}/zero`, S_IFCHR | 0o600, sys.makedev(1, 5));
    sys.chown(`${folder}/zero`, 12, 34);
    const { rdev, uid, gid } = sys.stat(`${folder}/zero`);
    return [rdev === sys.makedev(1, 5), uid, gid];
  },

  errors(folder) {
    return [
      failureOf(() => sys.open(`${folder}/none`, O_RDONLY, 0)),
      failureOf(() => sys.close(999)),
      failureOf(() => sys.mkdir("/", 0o755)),
      failureOf(() => withFile(`${folder}`, O_RDWR | O_CREAT | O_EXCL, 0o600, () => {})),
    ];
  },

  nulBytes() {
    const bad = "/tmp\0/x";
    const calls: (() => unknown)[] = [
      () => sys.open(bad, O_RDONLY, 0),
      () => sys.stat(bad),
      () => sys.mkdir(bad, 0o755),
      () => sys.symlink(bad, "/none/x"),
      () => sys.symlink("x", bad),
      () => sys.readdir(bad),
      () => sys.readlink(bad),
      () => sys.mount(bad, "/", null, 0, null),
      () => sys.mount(null, "/", "x\0", 0, null),
      () => sys.mount(null, "/", null, 0, "x\0"),
      () => sys.execve("/bin/true", [bad], []),
      () => sys.execve("/bin/true", [], ["A=\0"]),
      () => sys.execve(bad, [], []),
    ];
    return [...new Set(calls.map(failureOf))];
  },

  bounds() {
    const buffer = new Uint8Array(8);
    const [reader, writer] = sys.pipe2(O_CLOEXEC | O_NONBLOCK);
    const calls: (() => unknown)[] = [
      () => sys.read(reader, buffer, 0, 9),
      () => sys.read(reader, buffer, 9, 0),
      () => sys.read(reader, buffer, -1, 1),
      () => sys.write(writer, buffer, 8, 1),
      () => sys.write(writer, buffer, 0, -1),
      () => sys.write(writer, buffer.subarray(6), 0, 3),
    ];
    const notBytes = failureOf(() => sys.read(reader, "text" as unknown as Uint8Array, 0, 1));
    return [[...new Set(calls.map(failureOf))], notBytes, sys.read(reader, buffer, 8, 0)];
  },

  pipes() {
    const [reader, writer] = sys.pipe2(O_CLOEXEC | O_NONBLOCK);
    const buffer = new Uint8Array(6);
    const empty = sys.read(reader, buffer, 0, 6);
    const written = sys.write(writer, sys.encodeUtf8("abcdef"), 2, 3);
    const read = sys.read(reader, buffer, 1, 5);
    const big = new Uint8Array(1 << 20);
    const part = sys.write(writer, big, 0, big.length);
    const full = sys.write(writer, big, 0, 1);
    const flags = sys.fcntl(writer, F_GETFL, 0);
    sys.fcntl(writer, F_SETFL, flags & ~O_NONBLOCK);
    const blocking = (sys.fcntl(writer, F_GETFL, 0) & O_NONBLOCK) === 0;
    sys.close(writer);
    while (sys.read(reader, big, 0, big.length) > 0) {
      // What fitted is thrown away.
    }
    const atEnd = sys.read(reader, buffer, 0, 6);
    return {
      empty,
      written,
      read,
      bytes: [...buffer],
      partly: part > 0 && part < big.length,
      full,
      blocking,
      atEnd,
    };
  },

  descriptors() {
    const [reader, writer] = sys.pipe2(O_CLOEXEC);
    const copy = sys.dup2(writer, 100);
    sys.close(writer);
    sys.write(copy, new Uint8Array([65]), 0, 1);
    const buffer = new Uint8Array(1);
    return [copy, sys.read(reader, buffer, 0, 1), buffer[0], failureOf(() => sys.dup2(998, 3))];
  },

  ioctl() {
    return withFile("/dev/null", O_RDWR, 0, (fd) => [
      failureOf(() => sys.ioctl(fd, TIOCSWINSZ, new Uint8Array(8))),
      failureOf(() => sys.ioctl(fd, 0x5401, 0)),
    ]);
  },

  clock() {
    // What is no time leaves the clock as it is.
    return failureOf(() => sys.setClock(CLOCK_REALTIME, 1_000_000_000, 1_000_000_000));
  },

  random() {
    const [one, other] = [new Uint8Array(64), new Uint8Array(64)];
    const counts = [sys.getrandom(one), sys.getrandom(other)];
    return [counts, one.join() !== other.join(), new Set(one).size > 16];
  },

  sync(folder) {
    return withFile(`${folder}/file`, O_RDWR | O_CREAT, 0o600, (fd) => {
      sys.fsync(fd);
      return failureOf(() => sys.fsync(999));
    });
  },
});

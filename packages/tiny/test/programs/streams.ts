/** Bytes that go out slower than they are made, through pipes and sockets; and terminals. */
import * as sys from "tiny:sys";
import {
  accept,
  CLONE_NEWNS,
  Connection,
  callSoon,
  connectUnix,
  EPOLLIN,
  EPOLLOUT,
  Errno,
  F_GETFD,
  F_GETFL,
  F_SETFL,
  fork,
  hasErrno,
  listenUnix,
  MS_PRIVATE,
  MS_REC,
  makeDirectories,
  O_CLOEXEC,
  O_NOCTTY,
  O_NONBLOCK,
  O_RDWR,
  Output,
  onExit,
  openPty,
  openUevents,
  SO_ERROR,
  SOL_SOCKET,
  setWindowSize,
  takeTerminal,
  unixAddress,
  unwatch,
  VMADDR_CID_ANY,
  vsockAddress,
  watch,
  writeAll,
} from "../../src/index.ts";
import { failureOf, promiseOf, readable, runScenarios } from "./scenarios.ts";

/** Numbers one after the other, in 32 bits each: what is lost, doubled or out of order shows. */
function fill(block: Uint32Array, from: number): void {
  for (let at = 0; at < block.length; at++) block[at] = from + at;
}

async function untilEio(fd: number, seen: (text: string) => void): Promise<string> {
  const [ended, end] = promiseOf<string>();
  const buffer = new Uint8Array(4096);
  let text = "";
  watch(fd, EPOLLIN, () => {
    try {
      const count = sys.read(fd, buffer, 0, buffer.length);
      if (count > 0) text += sys.decodeUtf8(buffer.subarray(0, count));
      seen(text);
    } catch (error) {
      if (!hasErrno(error, Errno.EIO)) throw error;
      unwatch(fd);
      end(text);
    }
  });
  return ended;
}

runScenarios({
  /** The other side goes while nothing is read: that is told, and its end when all that it has sent is read. */
  async hangUp(folder) {
    const listener = listenUnix(`${folder}/hang-up`);
    const client = connectUnix(`${folder}/hang-up`);
    const seen: string[] = [];
    const [hungUp, tellHangUp] = promiseOf<void>();
    const [ended, tellEnd] = promiseOf<void>();
    const connection = new Connection(accept(listener) ?? -1, {
      onBytes: (bytes) => void seen.push(sys.decodeUtf8(bytes)),
      onWritable: () => {},
      onHangUp: () => tellHangUp(),
      onEnd: () => tellEnd(),
    });
    connection.pause();
    writeAll(client, sys.encodeUtf8("last words"));
    sys.close(client);
    await hungUp;
    seen.push("hung up");
    connection.resume();
    await ended;
    return seen;
  },

  /** Writes so many MiB of numbers to its standard output; the most bytes ever kept go to standard error. */
  async produce(mebibytes) {
    const words = 15_001;
    const block = new Uint32Array(words);
    const bytes = new Uint8Array(block.buffer);
    const total = (Number(mebibytes) * 1024 * 1024) / 4;
    const output = new Output(1);
    sys.fcntl(1, F_SETFL, sys.fcntl(1, F_GETFL, 0) | O_NONBLOCK);
    const [done, finish] = promiseOf<void>();
    let [next, most, waits] = [0, 0, 0];
    const pump = () => {
      if (!output.flush()) return;
      while (next < total && !output.blocked) {
        fill(block, next);
        const count = Math.min(words, total - next);
        // In two parts, so that the second often finds the first waiting.
        output.write(bytes, 0, 4 * (count >> 1));
        output.write(bytes, 4 * (count >> 1), 4 * (count - (count >> 1)));
        next += count;
        most = Math.max(most, output.keptBytes);
        if (output.blocked) waits++;
      }
      if (next === total && !output.blocked) finish();
    };
    watch(1, EPOLLOUT, pump);
    await done;
    unwatch(1);
    writeAll(2, sys.encodeUtf8(JSON.stringify({ bounded: most <= 4 * words, waited: waits > 0 })));
  },

  keeping() {
    const [reader, writer] = sys.pipe2(O_CLOEXEC | O_NONBLOCK);
    const output = new Output(writer);
    const block = new Uint8Array(65536).fill(1);
    output.write(block);
    const fits = output.blocked;
    output.write(block);
    block.fill(2);
    output.write(block, 65530);
    const kept = output.keptBytes;
    const before = output.flush();
    const got: number[] = [];
    const buffer = new Uint8Array(131072);
    while (got.length < 2 * 65536 + 6) {
      const count = sys.read(reader, buffer, 0, buffer.length);
      for (const value of buffer.subarray(0, count)) got.push(value);
      output.flush();
    }
    output.write(block);
    output.write(block);
    output.discard();
    const sum = got.reduce((one, other) => one + other, 0);
    return [fits, kept, before, sum, output.blocked, output.keptBytes];
  },

  addresses() {
    const umlauts = `/${"ü".repeat(53)}`;
    return {
      vsock: [...vsockAddress(3, 0x01020304)],
      any: [...vsockAddress(VMADDR_CID_ANY, 1024)],
      unix: [...unixAddress("/tmp/ü")],
      longest: unixAddress(umlauts).length,
      tooLong: failureOf(() => unixAddress(`${umlauts}x`)),
    };
  },

  async sockets(folder) {
    const path = `${folder}/socket`;
    const missing = failureOf(() => connectUnix(path));
    const listener = listenUnix(path);
    const nobody = accept(listener) ?? null;
    const inUse = failureOf(() => listenUnix(path));
    const client = connectUnix(path);
    await readable(listener);
    const server = accept(listener) as number;
    const nothing = sys.read(server, new Uint8Array(1), 0, 1);
    sys.write(client, sys.encodeUtf8("hello"), 0, 5);
    await readable(server);
    const buffer = new Uint8Array(5);
    sys.read(server, buffer, 0, 5);
    sys.shutdown(client, 1);
    const atEnd = sys.read(server, buffer, 0, 5);
    const fault = sys.getsockopt(client, SOL_SOCKET, SO_ERROR);
    sys.close(listener);
    const refused = failureOf(() => connectUnix(path)) as { errno: number };
    return {
      missing,
      nobody,
      inUse,
      nothing,
      text: sys.decodeUtf8(buffer),
      atEnd,
      fault,
      refused: refused.errno,
    };
  },

  uevents() {
    const fd = openUevents();
    const watched = failureOf(() => watch(fd, EPOLLIN, () => {}));
    unwatch(fd);
    sys.close(fd);
    return [fd > 2, watched];
  },

  /** A pipe's end is sent to a socket: what comes of that there, and of a message without one, and of none. */
  descriptors(folder) {
    const listener = listenUnix(`${folder}/descriptors`);
    const client = connectUnix(`${folder}/descriptors`);
    const server = accept(listener) ?? -1;
    const [reader, writer] = sys.pipe2(O_CLOEXEC);
    const before = sys.receiveDescriptor(server);
    sys.sendDescriptor(client, sys.encodeUtf8("name"), writer);
    const received = sys.receiveDescriptor(server);
    writeAll(received, sys.encodeUtf8("through it"));
    const buffer = new Uint8Array(100);
    const read = sys.decodeUtf8(buffer.subarray(0, sys.read(reader, buffer, 0, buffer.length)));
    const flags = sys.fcntl(received, F_GETFD, 0);
    writeAll(client, sys.encodeUtf8("none"));
    const without = failureOf(() => sys.receiveDescriptor(server));
    sys.close(client);
    const ended = failureOf(() => sys.receiveDescriptor(server));
    return { before, isOther: received !== writer, read, flags, without, ended };
  },

  /** Root only: mounts a devpts of its own. */
  async terminal(folder) {
    sys.unshare(CLONE_NEWNS);
    sys.mount(null, "/", null, MS_REC | MS_PRIVATE, null);
    const devpts = `${folder}/pts`;
    makeDirectories(devpts);
    sys.mount("devpts", devpts, "devpts", 0, "newinstance,ptmxmode=0666");
    const { master, number } = openPty(devpts);
    setWindowSize(master, 31, 97);
    const script = 'stty size; read word; echo "got $word"; exit 4';
    const pid = fork(() => {
      sys.setsid();
      const slave = sys.open(`${devpts}/${number}`, O_RDWR | O_NOCTTY | O_CLOEXEC, 0);
      takeTerminal(slave);
      for (const fd of [0, 1, 2]) sys.dup2(slave, fd);
      return sys.execve("/bin/sh", ["sh", "-c", script], ["PATH=/usr/bin:/bin"]);
    });
    const [exited, exit] = promiseOf<number>();
    onExit(pid, exit);
    let asked = false;
    const text = await untilEio(master, (sofar) => {
      if (asked || !sofar.includes("\n")) return;
      asked = true;
      sys.write(master, sys.encodeUtf8("hello\n"), 0, 6);
    });
    const second = openPty(devpts);
    return {
      number,
      next: second.number,
      text,
      code: (await exited) >> 8,
      noSize: failureOf(() => setWindowSize(1, 1, 1)),
    };
  },

  noTerminals(folder) {
    const before = sys.readdir("/proc/self/fd").length;
    const failure = failureOf(() => openPty(`${folder}`));
    callSoon(() => {});
    return [failure, sys.readdir("/proc/self/fd").length - before];
  },
});

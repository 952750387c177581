import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { TtrpcError } from "@husk/wire/ttrpc";
import { needsDisk } from "../../test/support/disk.ts";
import { residentOf } from "../../test/support/fuzz-door.ts";
import {
  exec,
  makeSpec,
  type PulledProcess,
  sh,
  startContainer,
  startSandbox,
  useRoot,
} from "../../test/support/kata-containers.ts";
import type { KataConnection, KataSession } from "../../test/support/kata-session.ts";

const [KIB, MIB] = [1024, 1024 * 1024];
/** Most bytes that are sent and not acknowledged: what is kept, and a piece. */
const MOST_UNACKNOWLEDGED = 768 * KIB;
const LENGTH = 20 * MIB;
/** Numbers, a line each: what is lost, doubled or out of order changes the sum. */
const MANY = `seq 1 100000000 | head -c ${LENGTH}`;

function numbers(length: number): Buffer {
  const lines: string[] = [];
  for (let number = 1, size = 0; size < length; number++) {
    lines.push(`${number}\n`);
    size += String(number).length + 1;
  }
  return Buffer.from(lines.join("")).subarray(0, length);
}

const sumOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** A reader that says what it has; it can be replaced by another one with another connection. */
class Reader {
  readonly chunks: Buffer[] = [];
  received = 0;
  readonly #execId: string;
  #connection: KataConnection;

  constructor(connection: KataConnection, execId: string) {
    this.#connection = connection;
    this.#execId = execId;
  }

  /** Asks once. `isTaken`: whether what comes counts as received; undefined at the end. */
  async read({ len = MIB, resume = false, isTaken = true } = {}): Promise<Buffer | undefined> {
    try {
      const request = {
        containerId: "c",
        execId: this.#execId,
        len,
        acknowledged: BigInt(this.received),
        resume,
      };
      const data = Buffer.from((await this.#connection.call("ReadStdout", request)).data);
      if (isTaken) {
        this.chunks.push(data);
        this.received += data.length;
      }
      return data;
    } catch (error) {
      if (error instanceof TtrpcError && error.message === "EOF") return undefined;
      throw error;
    }
  }

  /** Reads to the end. */
  async readAll(resume = false): Promise<Buffer> {
    for (let data = await this.read({ resume }); data; data = await this.read()) {
      // On to the next.
    }
    return Buffer.concat(this.chunks);
  }

  /** Its connection is lost, with what was on its way; it has another one. */
  move(connection: KataConnection): void {
    this.#connection.stream.reset();
    this.#connection = connection;
  }
}

async function startContainerOf(session: KataSession): Promise<PulledProcess> {
  return startContainer(session, "c", makeSpec(sh("read x")));
}

describe("output whose reader says what it has", needsDisk, () => {
  useRoot();

  it("comes to one that is replaced again and again, each byte once", async () => {
    await using session = await startSandbox();
    await startContainerOf(session);
    await exec(session, "c", "e", sh(MANY));
    const reader = new Reader(session.connect(), "e");
    let resume = true;
    for (let round = 0; reader.received < LENGTH / 2; round++) {
      for (let reads = 0; reads <= round % 4; reads++, resume = false)
        await reader.read({ resume, len: round % 3 === 0 ? 5000 : MIB });
      // What comes now is lost.
      await reader.read({ isTaken: false, len: 1 + ((round * 99_991) % MIB) });
      reader.read({ isTaken: false }).catch(() => {});
      reader.move(session.connect());
      resume = true;
    }
    assert.equal(sumOf(await reader.readAll(resume)), sumOf(numbers(LENGTH)));
  });

  it("is not sent without end while nothing is acknowledged, and goes on afterwards", async () => {
    await using session = await startSandbox();
    await startContainerOf(session);
    await exec(session, "c", "e", sh(MANY));
    const which = { containerId: "c", execId: "e", len: MIB, acknowledged: 0n };
    const chunks: Buffer[] = [];
    let waiting = session.call("ReadStdout", which);
    const before = residentOf(session);
    for (;;) {
      const answer = await Promise.race([
        waiting,
        session.health("Check").then(() => session.health("Check")),
      ]);
      if (!("data" in answer)) break;
      chunks.push(Buffer.from(answer.data));
      waiting = session.call("ReadStdout", which);
    }
    const size = chunks.reduce((sum, { length }) => sum + length, 0);
    assert.ok(size <= MOST_UNACKNOWLEDGED, `${size} bytes are not acknowledged`);
    const grown = residentOf(session) - before;
    assert.ok(grown < 800, `${grown} KiB more`);
    // To acknowledge is enough to have the one who waits go on.
    await session.call("ReadStdout", { ...which, len: 0, acknowledged: BigInt(size) });
    chunks.push(Buffer.from((await waiting).data));
    const reader = new Reader(session.connect(), "e");
    reader.chunks.push(...chunks);
    reader.received = Buffer.concat(chunks).length;
    assert.equal(sumOf(await reader.readAll()), sumOf(numbers(LENGTH)));
  });

  it("can be asked for again when the process has ended, and so can its exit code", async () => {
    await using session = await startSandbox();
    await startContainerOf(session);
    const process = await exec(session, "c", "e", sh("echo one; echo two; exit 7"));
    const first = new Reader(session.connect(), "e");
    while (await first.read({ isTaken: false })) {
      // On to the next.
    }
    assert.equal(await process.wait(), 7);
    const second = new Reader(session.connect(), "e");
    second.received = 4;
    assert.equal(String(await second.readAll(true)), "two\n");
    assert.equal(await process.wait(), 7);
    // The id can be used again all the same.
    await exec(session, "c", "e", sh("exit 8"));
    assert.equal(await process.wait(), 8);
  });

  it("of a terminal is kept as well", async () => {
    await using session = await startSandbox();
    await startContainerOf(session);
    const process = await exec(session, "c", "e", sh("echo one; read x; echo $x"), { Terminal: true });
    const reader = new Reader(session.connect(), "e");
    while (!Buffer.concat(reader.chunks).includes("one\r\n")) await reader.read();
    await process.write("two\n");
    await reader.read({ isTaken: false, len: 2 });
    reader.move(session.connect());
    assert.equal(String(await reader.readAll(true)), "one\r\ntwo\r\ntwo\r\n");
  });

  it("is no longer kept for a reader that says nothing", async () => {
    await using session = await startSandbox();
    await startContainerOf(session);
    const process = await exec(session, "c", "e", sh(MANY));
    const reader = new Reader(session.connect(), "e");
    for (let reads = 0; reads < 3; reads++) await reader.read();
    const rest = await process.read("ReadStdout", MIB);
    const all = Buffer.concat([...reader.chunks, Buffer.from(rest)]);
    assert.equal(sumOf(all), sumOf(numbers(LENGTH)));
  });

  it("is refused where it is gone, or has not been", async () => {
    await using session = await startSandbox();
    await startContainerOf(session);
    await exec(session, "c", "e", sh("echo hello; read x"));
    const which = { containerId: "c", execId: "e", len: MIB };
    const { data } = await session.call("ReadStdout", { ...which, acknowledged: 0n });
    assert.equal(Buffer.from(data).toString(), "hello\n");
    const beyond = await session.refuse("ReadStdout", { ...which, acknowledged: 7n });
    assert.deepEqual(beyond, { status: "OUT_OF_RANGE", message: "7 bytes are acknowledged, 6 were sent" });
    const huge = await session.refuse("ReadStdout", { ...which, acknowledged: 2n ** 64n - 1n, resume: true });
    assert.equal(huge.status, "OUT_OF_RANGE");
    await session.call("ReadStdout", { ...which, len: 0, acknowledged: 4n });
    const gone = await session.refuse("ReadStdout", { ...which, acknowledged: 3n, resume: true });
    assert.deepEqual(gone, { status: "OUT_OF_RANGE", message: "the output before byte 4 is gone" });
    const again = await session.call("ReadStdout", { ...which, acknowledged: 4n, resume: true });
    assert.equal(Buffer.from(again.data).toString(), "o\n");
  });
});

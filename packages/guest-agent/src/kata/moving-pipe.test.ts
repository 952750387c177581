import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import {
  exec,
  makeSpec,
  sh,
  startContainer,
  startSandbox,
  useRoot,
} from "../../test/support/kata-containers.ts";
import type { KataConnection } from "../../test/support/kata-session.ts";
import { needsStage } from "../../test/support/stage.ts";

const [MIB, LENGTH] = [2 ** 20, 40];
/** Numbers, a line each, so many bytes of them: what is lost, doubled or out of order changes the sum. */
const SCRIPT = `seq 1 100000000 | head -c ${LENGTH * MIB}`;

function expectedSum(): string {
  const hash = createHash("sha256");
  let left = LENGTH * MIB;
  for (let number = 1; left > 0; number += 1000) {
    const lines = Buffer.from(Array.from({ length: 1000 }, (_, at) => `${number + at}\n`).join(""));
    hash.update(lines.subarray(0, left));
    left -= lines.length;
  }
  return hash.digest("hex");
}

/** Reads an output to its end by so many calls at a time, of which answers come in their order. */
async function sumOutput(connection: KataConnection, execId: string, atOnce: number): Promise<string> {
  const hash = createHash("sha256");
  const read = async () => {
    for (;;) {
      const request = { containerId: "c", execId, len: MIB };
      const answer = await connection.call("ReadStdout", request).catch((error: Error) => {
        assert.equal(error.message, "EOF");
      });
      if (!answer) return;
      hash.update(answer.data);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, read));
  return hash.digest("hex");
}

describe("much output of a process", needsStage, () => {
  useRoot();

  it("comes unchanged, whoever asks for it at once", async () => {
    await using session = await startSandbox();
    const init = await startContainer(session, "c", makeSpec(sh("read x")));
    const expected = expectedSum();
    for (const atOnce of [1, 4]) {
      await exec(session, "c", `e${atOnce}`, sh(SCRIPT));
      assert.equal(await sumOutput(session, `e${atOnce}`, atOnce), expected);
    }
    await init.write("\n");
    await init.wait();
  });

  it("comes unchanged from two processes to two connections", async () => {
    await using session = await startSandbox();
    const init = await startContainer(session, "c", makeSpec(sh("read x")));
    const other = session.connect();
    for (const id of ["one", "two"]) await exec(session, "c", id, sh(SCRIPT));
    const sums = await Promise.all([sumOutput(session, "one", 2), sumOutput(other, "two", 2)]);
    const expected = expectedSum();
    assert.deepEqual(sums, [expected, expected]);
    await init.write("\n");
    await init.wait();
  });

  it("is not lost with a connection that had asked for it", async () => {
    await using session = await startSandbox();
    const init = await startContainer(session, "c", makeSpec(sh("read x")));
    await exec(session, "c", "e", sh(`seq 1 100000 | head -c ${LENGTH}; read x; ${SCRIPT}`));
    const lost = session.connect();
    const head = await lost.call("ReadStdout", { containerId: "c", execId: "e", len: MIB });
    assert.equal(head.data.length, LENGTH);
    // Two that wait, and are given up before there is anything to answer them with.
    for (let call = 0; call < 2; call++)
      lost.call("ReadStdout", { containerId: "c", execId: "e", len: MIB }).catch(() => {});
    await lost.health("Check");
    lost.stream.reset();
    await session.health("Check");
    await session.call("WriteStdin", { containerId: "c", execId: "e", data: Buffer.from("\n") });
    assert.equal(await sumOutput(session, "e", 3), expectedSum());
    await init.write("\n");
    await init.wait();
  });
});

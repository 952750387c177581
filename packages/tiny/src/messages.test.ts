import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import * as kata from "@husk/wire/kata";
import {
  decodeMessage,
  encodeMessage,
  type Message,
  type MessageType,
  ProtobufError,
} from "@husk/wire/protobuf";
import { TestProgram } from "../test/support/test-program.ts";

const program = await TestProgram.build("messages");
const folder = await mkdtemp(join(tmpdir(), "husk-messages-"));
after(() => Promise.all([program.remove(), rm(folder, { recursive: true })]));

const digits = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** What Node makes of the same bytes. */
function rewrite(type: MessageType<Message>, bytes: Uint8Array): string {
  try {
    return digits(encodeMessage(type, decodeMessage(type, bytes)));
  } catch (error) {
    if (error instanceof ProtobufError) return `${error.code} ${error.message}`;
    throw error;
  }
}

const request = encodeMessage(kata.CreateContainerRequest, {
  containerId: "ü€😀\ufeff",
  storages: [{ driver: "blk", options: ["", "ro"] }],
  OCI: {
    Annotations: new Map([["__proto__", "x".repeat(300)]]),
    Process: {
      Rlimits: [{ Type: "\ufeff", Hard: 2n ** 64n - 1n, Soft: 2n ** 53n + 1n }],
      OOMScoreAdj: -(2n ** 63n),
    },
    Linux: { Seccomp: { Syscalls: [{ errnoret: 0 }] } },
  },
  stderrPort: 2 ** 32 - 1,
});

test("QuickJS reads and writes messages as Node does, and refuses what Node refuses", async () => {
  const samples: [MessageType<Message>, Uint8Array][] = [];
  for (let length = 0; length <= request.length; length++) {
    samples.push([kata.CreateContainerRequest, request.subarray(0, length)]);
    const changed = request.slice();
    changed[length] = (changed[length] ?? 0) ^ (1 << (length % 8));
    samples.push([kata.CreateContainerRequest, changed], [kata.ExecProcessRequest, changed]);
  }
  const path = join(folder, "messages");
  await writeFile(path, samples.map(([type, bytes]) => `${type.name} ${digits(bytes)}`).join("\n"));
  const found = (await program.report("rewrite", path)) as string[];
  const expected = samples.map(([type, bytes]) => rewrite(type, bytes));
  assert.deepEqual(found, expected);
  assert.ok(found.includes(digits(request)));
  assert.ok(found.some((line) => line.startsWith("ERR_PROTOBUF_")));
});

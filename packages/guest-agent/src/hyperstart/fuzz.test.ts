import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Command, encodeControl, encodeStream, PSCONTAINER } from "@husk/wire/hyperstart";
import { Random } from "../../test/support/random.ts";
import { Session } from "../../test/support/session.ts";
import { needsStage } from "../../test/support/stage.ts";

/** The same for every run unless HUSK_FUZZ_SEED says another. */
const SEED = Number(process.env.HUSK_FUZZ_SEED ?? 20180917);
console.log(`fuzz: HUSK_FUZZ_SEED=${SEED}`);

const PROCESS = {
  ...{ id: "p", user: "0", group: "0", additionalGroups: ["1"], terminal: false, stdio: 11, stderr: 12 },
  ...{ args: ["true"], envs: [{ env: "A", value: "b" }], workdir: "/", rows: 24, columns: 80 },
  ...{ noNewPrivileges: true, rlimits: [{ type: "RLIMIT_CORE", soft: 0, hard: 0 }] },
};
const CONTAINER = {
  ...{ id: "c", rootfs: "rootfs", image: "none", volumes: [], fsmap: [{ source: "a", path: "/b" }] },
  ...{ sysctl: { "net.a": "1" }, process: PROCESS, initialize: true, readOnly: false },
};

/** What is sent, but for what would end the agent. */
const SAMPLES: readonly [code: number, payload: unknown][] = [
  [Command.GETVERSION, null],
  // A pod that was started would stay; this one is refused, whatever becomes of the rest.
  [
    Command.STARTPOD,
    { hostname: "pod", dns: ["192.0.2.1"], containers: [CONTAINER], portmappingWhiteLists: 1 },
  ],
  [Command.NEWCONTAINER, CONTAINER],
  [Command.NEWCONTAINER, CONTAINER],
  [Command.EXECCMD, { container: "c", process: PROCESS }],
  [Command.EXECCMD, { container: "hyperstart", process: { ...PROCESS, user: "none" } }],
  [Command.WINSIZE, { container: "hyperstart", process: "p", row: 24, column: 80 }],
  [Command.KILLCONTAINER, { container: "c", signal: 15 }],
  [Command.SIGNALPROCESS, { container: "hyperstart", process: "none", signal: 15 }],
  [Command.REMOVECONTAINER, { container: "c" }],
  [Command.PING, null],
  [Command.READY, null],
  [Command.ONLINECPUMEM, null],
  [Command.WRITEFILE, { container: "c", file: "/x" }],
  [Command.READFILE, { container: "c", file: "/x" }],
  [Command.SETUPROUTE, { routes: [{ dest: "10.0.0.0/8", gateway: "192.0.2.1", device: "eth0" }] }],
  [PSCONTAINER, { container: "c", format: "table", psargs: ["-ef"] }],
];

function spoiltFrame(random: Random): Uint8Array {
  const [code, payload] = random.pick(SAMPLES);
  const other = random.next(20) === 0 ? 100 + random.next(1000) : code;
  const text = Buffer.from(JSON.stringify(random.spoilJson(payload)) ?? "");
  return encodeControl(other, random.next(3) === 0 ? random.spoil(text) : text);
}

describe("spoilt frames", needsStage, () => {
  test("12,000 commands of any content get one answer each", async () => {
    await using session = await Session.start();
    const random = new Random(SEED);
    let sent = 0;
    for (let batch = 0; batch < 60; batch++) {
      const frames = Array.from({ length: 200 }, () => spoiltFrame(random));
      const bytes = Buffer.concat(frames);
      sent += bytes.length;
      session.sendControl(bytes);
      for (const _ of frames) await session.nextReply();
    }
    assert.equal(session.acknowledged, sent);
    await session.ping();
  });

  test("8,000 stream frames of any number and content hurt no process", async () => {
    await using session = await Session.start();
    const random = new Random(SEED);
    const cat = await session.exec(["cat"]);
    const closed = await session.exec(["/bin/sh", "-c", "exec <&-; sleep 1000"]);
    const seqs = [cat.stdio, closed.stdio, cat.stderr, 0, 1, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER];
    let fed = "";
    for (let batch = 0; batch < 40; batch++) {
      const frames = Array.from({ length: 200 }, () => {
        const seq = random.pick(seqs);
        const text = "x".repeat(1 + random.next(40));
        if (seq === cat.stdio) fed += text;
        return encodeStream(seq, random.next(6) === 0 && seq !== cat.stdio ? undefined : Buffer.from(text));
      });
      await session.sendStream(Buffer.concat(frames));
    }
    await cat.endInput();
    assert.deepEqual(await cat.result(), { code: 0, stdout: fed, stderr: "" });
    await session.ask(Command.SIGNALPROCESS, { container: "hyperstart", process: closed.id, signal: 9 });
    assert.equal(await closed.exited(), 137);
  });

  test("bytes of any kind on either channel do not end the agent", async () => {
    const random = new Random(SEED);
    for (let round = 0; round < 25; round++) {
      await using session = await Session.start();
      const good = encodeControl(
        Command.SIGNALPROCESS,
        JSON.stringify({ container: "c", process: "p", signal: 9 }),
      );
      let sent = 0;
      for (let at = 0; at < 40; at++) {
        const bytes = harmless(random.spoil(at % 4 === 0 ? spoiltFrame(random) : good));
        session.sendControl(bytes);
        sent += bytes.length;
        await session.sendStream(random.spoil(encodeStream(random.next(4), Buffer.from("input"))));
      }
      // It still reads, and so it lives; that it also ends as it should is seen when the session closes.
      await session.until(() => session.acknowledged === sent);
    }
  });
});

/** Spoilt bytes may by chance be a frame that ends the agent: not that one. */
function harmless(bytes: Uint8Array): Uint8Array {
  const isDestroy = bytes.length >= 4 && bytes[0] === 0 && bytes[1] === 0 && bytes[2] === 0;
  if (isDestroy && bytes[3] === Command.DESTROYPOD) bytes[3] = Command.PING;
  return bytes;
}

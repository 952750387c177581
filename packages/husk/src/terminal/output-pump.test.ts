import assert from "node:assert/strict";
import { PassThrough, Readable, Writable } from "node:stream";
import { describe, it } from "node:test";
import { flush, pumpOutput } from "./output-pump.ts";

describe("pumpOutput", () => {
  it("copies everything and leaves the target open", async () => {
    const to = new PassThrough();
    await pumpOutput(Readable.from([Buffer.from("one "), Buffer.from("two")]), to, assert.fail);
    assert.equal(to.writableEnded, false);
    assert.equal(to.read().toString(), "one two");
  });

  it("goes on reading when the target breaks, and tells once", async () => {
    let broken = 0;
    const to = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error("broken pipe"), { code: "EPIPE" })),
    });
    const from = Readable.from(Array.from({ length: 100 }, () => Buffer.alloc(64 * 1024)));
    await pumpOutput(from, to, () => broken++);
    assert.equal(broken, 1);
    assert.equal(from.readableEnded, true);
  });

  it("returns when the source fails: whoever waits for the process hears why", async () => {
    const from = new Readable({ read() {} });
    const pumped = pumpOutput(from, new PassThrough(), assert.fail);
    from.destroy(new Error("VM lost"));
    await pumped;
    assert.equal(from.destroyed, true);
  });
});

describe("flush", () => {
  it("waits for what was written before", async () => {
    const release = Promise.withResolvers<void>();
    const seen: string[] = [];
    const to = new Writable({
      write(chunk, _encoding, done) {
        void release.promise.then(() => {
          seen.push(String(chunk));
          done();
        });
      },
    });
    to.write("text");
    const flushed = flush(to).then(() => seen.push("flushed"));
    release.resolve();
    await flushed;
    assert.deepEqual(seen.filter(Boolean), ["text", "flushed"]);
  });

  it("does not wait for a stream that is destroyed", async () => {
    const to = new PassThrough();
    to.destroy();
    await flush(to);
    assert.equal(to.destroyed, true);
  });
});

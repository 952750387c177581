import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { OutputWindow } from "./output-window.ts";

/** What a window must do, done with plain arrays. */
class Model {
  bytes: number[] = [];
  start = 0;
  sent = 0;
}

const action = fc.oneof(
  fc.record({ kind: fc.constant("append" as const), size: fc.nat(9000) }),
  fc.record({ kind: fc.constant("take" as const), size: fc.nat(9000) }),
  fc.record({ kind: fc.constant("release" as const), size: fc.nat(20_000) }),
  fc.record({ kind: fc.constant("rewind" as const), size: fc.nat(20_000) }),
);

test("a window gives its bytes in order, again from where it is rewound to, whatever is let go", () => {
  let next = 0;
  fc.assert(
    fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
      const [window, model] = [new OutputWindow(), new Model()];
      for (const { kind, size } of actions) {
        if (kind === "append") {
          const data = Uint8Array.from({ length: size }, () => next++ & 255);
          window.append(data);
          model.bytes.push(...data);
        } else if (kind === "take") {
          const target = new Uint8Array(size + 3);
          const count = window.takeUnsent(target, 3);
          const expected = model.bytes.slice(model.sent, model.sent + size);
          assert.deepEqual([...target.subarray(3, 3 + count)], expected);
          model.sent += count;
        } else if (kind === "release") {
          window.release(size);
          model.start = Math.max(model.start, Math.min(size, model.sent));
        } else {
          model.start = Math.max(model.start, Math.min(size, model.sent));
          model.sent = model.start;
          assert.equal(window.rewind(size), model.start);
        }
        assert.equal(window.start, model.start);
        assert.equal(window.keptBytes, model.bytes.length - model.start);
        assert.equal(window.unsentBytes, model.bytes.length - model.sent);
      }
    }),
  );
});

test("what is not kept is counted, and the count may begin elsewhere", () => {
  const window = new OutputWindow();
  window.skip(10);
  window.appendSent(Uint8Array.of(1, 2, 3));
  assert.deepEqual([window.start, window.keptBytes, window.unsentBytes], [10, 3, 0]);
  window.rebase(100);
  assert.equal(window.rewind(101), 101);
  assert.equal(window.unsentBytes, 2);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatSockets, formatVolumes, parseSockets, parseVolumes } from "./colon-lists.ts";

const part = fc.string({ minLength: 1, unit: "grapheme" }).filter((text) => !/[: ]/.test(text));
const volume = fc.record({ mountTag: part, hostPath: part }, { noNullPrototype: true });
const socket = fc.record({ deviceId: part, id: part, hostPath: part, name: part }, { noNullPrototype: true });
const INVALID = { code: "ERR_CONFIG_INVALID" };

test("volumes and sockets go round", () => {
  fc.assert(
    fc.property(
      fc.array(volume, { minLength: 1 }),
      fc.array(socket, { minLength: 1 }),
      (volumes, sockets) => {
        assert.deepEqual(parseVolumes(formatVolumes(volumes)), volumes);
        assert.deepEqual(parseSockets(formatSockets(sockets)), sockets);
      },
    ),
  );
  const text = "share:/srv/a more:/srv/b";
  assert.deepEqual(parseVolumes(text)[1], { mountTag: "more", hostPath: "/srv/b" });
  assert.equal(formatVolumes(parseVolumes(text)), text);
  const [first] = parseSockets("charch0:ch0:/tmp/hyper.sock:sh.hyper.channel.0");
  assert.deepEqual(first, {
    deviceId: "charch0",
    id: "ch0",
    hostPath: "/tmp/hyper.sock",
    name: "sh.hyper.channel.0",
  });
});

test("whatever is parsed is written as it was; all else is refused", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("a", "b", ":", " ") }), (text) => {
      try {
        assert.equal(formatVolumes(parseVolumes(text)), text);
      } catch (error) {
        assert.equal((error as { code?: string }).code, "ERR_CONFIG_INVALID");
      }
    }),
  );
  for (const text of ["", "tag", ":", "tag:", ":path", "a:b:c", "a:b  c:d", " a:b", "a:b "]) {
    assert.throws(() => parseVolumes(text), INVALID, text);
    assert.throws(() => parseSockets(text), INVALID, text);
  }
  assert.throws(() => formatVolumes([{ mountTag: "a b", hostPath: "/x" }]), {
    ...INVALID,
    message: /mountTag "a b"/,
  });
});

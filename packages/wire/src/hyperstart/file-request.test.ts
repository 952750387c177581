import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encode } from "../test-support/bytes.ts";
import { encodeWriteFile, parseReadFile, parseWriteFile } from "./file-request.ts";

test("the data follow the JSON directly", () => {
  const payload = encode('{"container":"web","file":"/tmp/x"}}{"raw"\0');
  const { container, file, data } = parseWriteFile(payload);
  assert.deepEqual([container, file, Buffer.from(data).toString()], ["web", "/tmp/x", '}{"raw"\0']);
});

test("a brace or an escaped quote in a name does not end the JSON", () => {
  const { file, data } = parseWriteFile(
    encode('{"container":"web","file":"/a}\\"}b","more":{"x":[{}]}}data}'),
  );
  assert.deepEqual([file, Buffer.from(data).toString()], ['/a}"}b', "data}"]);
});

test("data may be empty, and any name and data come back", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary", minLength: 1, maxLength: 60 }).filter((name) => !name.includes("\0")),
      fc.uint8Array({ maxLength: 300 }),
      (file, data) => {
        fc.pre(file.isWellFormed());
        const parsed = parseWriteFile(encodeWriteFile("web", file, data));
        assert.equal(parsed.file, file);
        assert.deepEqual(Buffer.from(parsed.data), Buffer.from(data));
      },
    ),
  );
});

test("any bytes are parsed or refused as a payload", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        parseWriteFile(bytes);
      } catch (error) {
        assert.equal((error as Error).name, "PayloadError");
      }
    }),
  );
});

test("what is not a request is refused", () => {
  for (const bad of [
    "",
    "data",
    '{"container":"web","file":"/x',
    '{"container":"web"}',
    '}{"container"',
    "{x}",
  ]) {
    assert.throws(() => parseWriteFile(encode(bad)), { name: "PayloadError" }, bad);
  }
  assert.throws(() => parseWriteFile(new Uint8Array(1 << 20).fill(0x7b)), { name: "PayloadError" });
  assert.deepEqual(parseReadFile(encode('{"container":"web","file":"/proc/1/stat"}')), {
    container: "web",
    file: "/proc/1/stat",
  });
  assert.throws(() => parseReadFile(encode('{"container":"web","file":""}')), { name: "PayloadError" });
});

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { serveQmp } from "../../testing/fake-qmp.ts";
import { makeTempRoot } from "../../testing/temp-root.ts";
import { exchangeDisk } from "./exchange-disk.ts";

const options = { timeoutMs: 60_000 };

test("another file is opened, and put behind the disk", async (t) => {
  const imagePath = join(makeTempRoot(t).base, "image");
  writeFileSync(imagePath, "bytes");
  const heard: unknown[] = [];
  const path = await serveQmp(t, (execute, id, _socket, given) => {
    heard.push([execute, given]);
    return JSON.stringify({ return: {}, id });
  });
  await exchangeDisk({ id: "drive0", imagePath }, path, options);
  assert.deepEqual(heard, [
    ["blockdev-add", { driver: "file", filename: imagePath, "node-name": "file-drive0", "read-only": true }],
    [
      "blockdev-reopen",
      { options: [{ driver: "raw", "node-name": "node-drive0", "read-only": true, file: "file-drive0" }] },
    ],
  ]);
});

test("what is no raw image is refused, and QEMU is not asked", async (t) => {
  const imagePath = join(makeTempRoot(t).base, "image");
  writeFileSync(imagePath, "QFI\xfb", "latin1");
  await assert.rejects(exchangeDisk({ id: "drive0", imagePath }, "/nowhere", options), {
    code: "ERR_NOT_SUPPORTED",
  });
});
